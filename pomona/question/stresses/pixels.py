"""From a task's standardised images to pixels in [0, 1] and back: a corruption must know black and white."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.changed import Change
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

Corrupt = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From pixels (batch, height, width, channel) in [0, 1] and a generator to pixels of the same shape."""


def image_inputs(task: Task) -> list[str]:
    """The names of the inputs that are images."""
    return [name for name, feature in task.inputs.items() if feature.kind == "image"]


def on_pixels(task: Task, corrupt: Corrupt) -> Change:
    """The change of a batch that corrupts every image input."""
    scales = {name: _moments(task, name) for name in image_inputs(task)}

    def change(batch: Batch, generator: np.random.Generator) -> Batch:
        changed = dict(batch)
        for name, (mean, std) in scales.items():
            pixels = to_pixels(batch[name], mean, std)
            changed[name] = from_pixels(corrupt(pixels, generator), mean, std)
        return changed

    return change


def to_pixels(
    images: Float[np.ndarray, "batch channel height width"],
    mean: Float[np.ndarray, " channel"],
    std: Float[np.ndarray, " channel"],
) -> Float[np.ndarray, "batch height width channel"]:
    """Pixels in [0, 1], what lies outside being cut off."""
    return np.clip(np.moveaxis(images, 1, 3) * std + mean, 0, 1)


def from_pixels(
    pixels: Float[np.ndarray, "batch height width channel"],
    mean: Float[np.ndarray, " channel"],
    std: Float[np.ndarray, " channel"],
) -> Float[np.ndarray, "batch channel height width"]:
    """Images as the task has them, float32."""
    return np.ascontiguousarray(np.moveaxis((pixels - mean) / std, 3, 1), np.float32)


def _moments(task: Task, name: str) -> tuple[np.ndarray, np.ndarray]:
    for step in task.preprocessing.steps:
        if step.kind == "image" and step.output == name:
            return np.array(step.settings["mean"], np.float32), np.array(step.settings["std"], np.float32)
    channels = task.inputs[name].shape[0]
    return np.zeros(channels, np.float32), np.ones(channels, np.float32)
