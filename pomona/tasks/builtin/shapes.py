"""`shapes`: which pixels of a noisy grey image are of a circle, a square or a triangle (segmentation)."""

import numpy as np
from jaxtyping import Bool, Float

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

CLASSES = ("background", "circle", "square", "triangle")
NOISE = 0.1
"""Standard deviation of the noise of a pixel; background is at 0.3, shapes are at 0.5 … 1."""


def make(*, seed: int = 0, num_train: int = 1000, size: int = 32) -> Task:
    """The task with `num_train` training images of `size` × `size` and a fifth as many in valid and test."""
    splits = {
        split: draw_shapes(
            stream(seed, "shapes", split), num_train if split == "train" else max(num_train // 5, 1), size
        )
        for split in ("train", "valid", "test")
    }
    return task_of_arrays(
        "shapes",
        "segment",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {"shape": Feature("shape", "mask", (size, size), classes=CLASSES)},
        about="pixels of circles, squares and triangles (procedural)",
        licence="CC0-1.0",
    )


def draw_shapes(generator: np.random.Generator, num_images: int, size: int) -> Batch:
    """Raw images, uint8 (height, width), and the class of every pixel.

    An image has one to three shapes, later ones in front.
    """
    pixels = np.full((num_images, size, size), 0.3)
    classes = np.zeros((num_images, size, size), np.int64)
    for place in range(3):
        kind = generator.integers(1, 4, num_images)
        radius = generator.uniform(0.12, 0.25, num_images) * size
        center = generator.uniform(0.2, 0.8, (2, num_images)) * size
        inside = _inside(kind, radius, center, size)
        if place > 0:
            inside &= (generator.random(num_images) < 0.5)[:, None, None]
        shade = generator.uniform(0.5, 1.0, num_images)
        pixels = np.where(inside, shade[:, None, None], pixels)
        classes = np.where(inside, kind[:, None, None], classes)
    pixels = np.clip(pixels + NOISE * generator.standard_normal(pixels.shape), 0, 1)
    return {"image": np.round(pixels * 255).astype(np.uint8), "shape": np.array(CLASSES, object)[classes]}


def _inside(
    kind: np.ndarray, radius: np.ndarray, center: np.ndarray, size: int
) -> Bool[np.ndarray, "image height width"]:
    y, x = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
    down = (y - center[0][:, None, None]) / radius[:, None, None]
    right = (x - center[1][:, None, None]) / radius[:, None, None]
    return np.choose(
        kind[:, None, None] - 1, [_circle(down, right), _square(down, right), _triangle(down, right)]
    )


def _circle(down: Float[np.ndarray, "..."], right: Float[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
    return down**2 + right**2 <= 1


def _square(down: Float[np.ndarray, "..."], right: Float[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
    return np.maximum(np.abs(down), np.abs(right)) <= 0.9


def _triangle(down: Float[np.ndarray, "..."], right: Float[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
    return (down <= 0.8) & (np.abs(right) <= (down + 1) / 1.8)
