"""Segmentation pixel by pixel: boosted trees that see a few pixels around and the place."""

import numpy as np
from jaxtyping import Float

from pomona.fit.baselines.constant import num_classes_of
from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

RADIUS = 3
"""Pixels to each side that are seen."""
MAX_PIXELS = 40_000
"""Pixels that are learned from, of all images."""
MAX_HELD_OUT = 5_000_000
"""Pixels to be classified in validation and test for which that is still quick."""


def has_aligned_image(task: Task) -> bool:
    """Tasks with an image of each target's size, and not too many pixels to classify."""
    pixels = sum(
        (task.splits[split].size or 1000) * int(np.prod(target.shape))
        for split in ("valid", "test")
        for target in task.targets.values()
    )
    return pixels <= MAX_HELD_OUT and all(_image_of(task, target) for target in task.targets)


def fit_pixel_trees(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Gradient-boosted trees on the values around a pixel and its row and column."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    image, num_classes = _image_of(task, target), num_classes_of(task, target)
    assert image is not None
    truth = train[target].reshape(len(train[target]), -1)
    chosen = np.random.default_rng(seed).permutation(truth.size)[:MAX_PIXELS]
    example, pixel = np.unravel_index(np.sort(chosen), truth.shape)
    around = _surroundings(train[image.name])[example, pixel]
    labels = truth[example, pixel]
    present = np.unique(labels)
    trees = (
        HistGradientBoostingClassifier(random_state=seed).fit(around, labels) if len(present) > 1 else None
    )

    def predict(batch: Batch) -> np.ndarray:
        images = batch[image.name]
        around = _surroundings(images)
        said = np.full((*around.shape[:2], num_classes), 1e-6, np.float32)
        flat = around.reshape(-1, around.shape[-1])
        known = 1.0 if trees is None else trees.predict_proba(flat).reshape(*around.shape[:2], -1)
        said[..., present] += known
        said /= said.sum(axis=-1, keepdims=True)
        return np.moveaxis(said, -1, 1).reshape(len(images), num_classes, *task.targets[target].shape)

    return predict


def _image_of(task: Task, target: str) -> Feature | None:
    shape = task.targets[target].shape
    fitting = [f for f in task.inputs.values() if f.kind == "image" and f.shape[1:] == shape]
    return fitting[0] if fitting else None


def _surroundings(
    images: Float[np.ndarray, "batch channel height width"],
) -> Float[np.ndarray, "batch pixel column"]:
    num, channels, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS)), mode="edge")
    size = 2 * RADIUS + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
    values = np.moveaxis(windows, 1, 3).reshape(num, height * width, channels * size * size)
    place = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    places = np.broadcast_to(place.reshape(1, height * width, 2), (num, height * width, 2))
    return np.concatenate([values, places], axis=2, dtype=np.float32)
