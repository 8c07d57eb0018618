"""`moving-glyphs`: which of ten signs stands somewhere in a noisy grey image (procedural, of any number)."""

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

CLASSES = tuple("ABCDEFGHIJ")
GLYPH = 7
"""Pixels a side of a sign."""
NOISE = 0.15
"""Standard deviation of the noise of a pixel; background is at 0.2, signs are at 0.6 … 1."""


def make(*, seed: int = 0, num_train: int = 3000, size: int = 24) -> Task:
    """The task with `num_train` training images of `size` × `size`, 500 in valid and 1000 in test."""
    counts = {"train": num_train, "valid": 500, "test": 1000}
    splits = {
        split: draw_glyphs(stream(seed, "moving glyphs", split), count, size)
        for split, count in counts.items()
    }
    return task_of_arrays(
        "moving-glyphs",
        "classify",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {"glyph": Feature("glyph", "category", (), classes=CLASSES)},
        about="which of ten signs stands somewhere in a noisy image (procedural)",
        licence="CC0-1.0",
    )


def draw_glyphs(generator: np.random.Generator, num_images: int, size: int) -> Batch:
    """Raw images, uint8 (height, width), and their classes; half of them have a scrap of another sign."""
    signs = glyphs()
    kind = generator.integers(0, len(CLASSES), num_images)
    pixels = np.full((num_images, size, size), 0.2)
    _place(
        pixels,
        signs[generator.permutation(kind), :3] * (generator.random((num_images, 1, 1)) < 0.5),
        generator,
    )
    _place(pixels, signs[kind], generator)
    pixels = np.clip(pixels + NOISE * generator.standard_normal(pixels.shape), 0, 1)
    return {"image": np.round(pixels * 255).astype(np.uint8), "glyph": np.array(CLASSES, object)[kind]}


def glyphs() -> Float[np.ndarray, "class high wide"]:
    """The ten signs, always the same: symmetric blots of zeros and ones."""
    generator = stream(0, "moving glyphs", "signs")
    half = generator.random((len(CLASSES), GLYPH, GLYPH // 2 + 1)) < 0.5
    return np.concatenate((half, half[:, :, -2::-1]), 2).astype(np.float64)


def _place(
    pixels: Float[np.ndarray, "image height width"],
    signs: Float[np.ndarray, "image high wide"],
    generator: np.random.Generator,
) -> None:
    """Draws each sign at a random place of its image, over what is there."""
    count, high, wide = signs.shape
    rows = generator.integers(0, pixels.shape[1] - high + 1, count)[:, None] + np.arange(high)
    columns = generator.integers(0, pixels.shape[2] - wide + 1, count)[:, None] + np.arange(wide)
    shade = generator.uniform(0.6, 1.0, (count, 1, 1))
    images = np.arange(count)[:, None, None]
    under = pixels[images, rows[:, :, None], columns[:, None]]
    pixels[images, rows[:, :, None], columns[:, None]] = np.where(signs > 0, shade, under)
