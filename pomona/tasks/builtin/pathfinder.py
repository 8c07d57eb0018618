"""`pathfinder`: whether a dashed path joins two dots, read pixel by pixel (Linsley et al. 2018).

As in the Long Range Arena (Tay et al. 2020) an image is a sequence of grey levels, row after row. Two long
dashed curves and some short ones are drawn; the dots are at the ends of one curve, or of two.
"""

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.token_arrays import split_sizes, task_of_tokens
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

NUM_LEVELS = 8
NUM_SHORT = 4
PAINT, GAP = 3.0, 2.0
"""Lengths of a dash and of the gap behind it, pixels."""


def make(*, seed: int = 0, num_train: int = 2000, size: int = 32) -> Task:
    """The task with `num_train` training images of `size` × `size`, a fifth as many in valid and test.

    The Long Range Arena has 160,000 of size 32; size=128 is its Path-X. Raises DataError below size 16.
    """
    if size < 16:
        raise DataError(f"pathfinder wants images of at least 16 × 16, got {size}")
    splits = {
        split: draw_images(stream(seed, "pathfinder", split), count, size)
        for split, count in split_sizes(num_train).items()
    }
    return task_of_tokens(
        "pathfinder",
        "classify",
        splits,
        Feature("pixels", "tokens", (size * size,), num_tokens=1 + NUM_LEVELS),
        Feature("joined", "category", (), classes=("no", "yes")),
        about=f"whether a dashed path joins two dots, from {size * size} pixels in a row (procedural)",
    )


def draw_images(generator: np.random.Generator, num_examples: int, size: int) -> Batch:
    """Pixels as tokens 1 … NUM_LEVELS, row after row, and whether the dots are joined: half are."""
    joined = generator.permutation(np.arange(num_examples) % 2)
    image = np.zeros((num_examples, size, size))
    long = [_curves(generator, num_examples, size, 0.9 * size) for _ in range(2)]
    for curves in (*long, *(_curves(generator, num_examples, size, size / 4) for _ in range(NUM_SHORT))):
        along = np.arange(curves.shape[1]) / 2
        _paint(image, curves[:, along % (PAINT + GAP) < PAINT], 0.6)
    last = np.where(joined[:, None] == 1, long[0][:, -1], long[1][:, -1])
    offsets = np.stack(np.meshgrid((-1, 0, 1), (-1, 0, 1)), -1).reshape(1, -1, 2)
    for dot in (long[0][:, 0], last):
        _paint(image, dot[:, None] + offsets, 1.0)
    levels = 1 + np.minimum((image * NUM_LEVELS).astype(np.int64), NUM_LEVELS - 1)
    return {"pixels": levels.reshape(num_examples, -1), "joined": joined.astype(np.int64)}


def _curves(
    generator: np.random.Generator, num_examples: int, size: int, length: float
) -> Float[np.ndarray, "example point axis"]:
    """Points half a pixel apart along paths that bend a little and turn to the middle near the border."""
    angle, bend = generator.uniform(-np.pi, np.pi, num_examples), np.zeros(num_examples)
    place = generator.uniform(4, size - 4, (num_examples, 2))
    points = [place]
    for _ in range(int(2 * length)):
        bend = 0.8 * bend + generator.normal(0, 0.06, num_examples)
        to_middle = size / 2 - place
        aside = np.sin(np.arctan2(to_middle[:, 0], to_middle[:, 1]) - angle)
        is_near = np.abs(to_middle).max(1) > size / 2 - 5
        angle = angle + bend + np.where(is_near, 0.25 * np.where(aside < 0, -1, 1), 0.0)
        place = np.clip(place + 0.5 * np.stack((np.sin(angle), np.cos(angle)), 1), 1, size - 2)
        points.append(place)
    return np.stack(points, 1)


def _paint(image: Float[np.ndarray, "example height width"], points: np.ndarray, shade: float) -> None:
    rows, columns = np.clip(np.round(points).astype(int), 0, image.shape[1] - 1).transpose(2, 0, 1)
    np.maximum.at(image, (np.arange(len(image))[:, None], rows, columns), shade)
