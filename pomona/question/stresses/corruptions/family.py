"""The test images of a task, corrupted in all ways and at all severities."""

import functools

import numpy as np

from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.corruptions import CORRUPTIONS
from pomona.question.stresses.corruptions.strength import SEVERITIES
from pomona.question.stresses.pixels import image_inputs, on_pixels
from pomona.tasks.source import Source
from pomona.tasks.task import Task


def corruptions(task: Task, seed: int) -> dict[str, Source]:
    """Splits named CORRUPTION-SEVERITY; none for a task without images.

    Grey images have no saturation that could change.
    """
    if not image_inputs(task):
        return {}
    source = clean(task, seed)
    is_grey = all(task.inputs[name].shape[0] == 1 for name in image_inputs(task))
    return {
        f"{name}-{severity}": ChangedSource(
            source,
            on_pixels(task, functools.partial(_corrupted, name=name, severity=severity)),
            f"{name}-{severity}",
            seed,
        )
        for name in CORRUPTIONS
        if not (is_grey and name == "saturate")
        for severity in SEVERITIES
    }


def _corrupted(pixels: np.ndarray, generator: np.random.Generator, *, name: str, severity: int) -> np.ndarray:
    return CORRUPTIONS[name](pixels, severity, generator)
