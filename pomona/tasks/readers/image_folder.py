"""How the images of a folder are fitted, and kept: as 8-bit pixels of one size."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.image import fit_image, unit_pixels
from pomona.tasks.readers.folder import File, Media
from pomona.tasks.readers.image_files import read_image

COLUMN = "image"
MAX_SIDE = 64
MIN_SIDE = 8
FIT_FILES = 1000


def image_media(train: Sequence[File]) -> Media:
    """The step for training files, and the way to read one file.

    Images get the median height and width of training, made smaller in proportion until no side is above
    MAX_SIDE; they are grey when all training files are. Files with more than 8 bits are kept as float32.
    """
    shapes = np.array([file.info for file in train])
    height, width = np.median(shapes[:, :2], axis=0)
    shrink = min(1.0, MAX_SIDE / max(height, width))
    size = max(round(height * shrink), MIN_SIDE), max(round(width * shrink), MIN_SIDE)
    images = _some_images(train)
    step = fit_image(COLUMN, images, size=size, channels=int(shapes[:, 2].max()))
    is_deep = any(image.dtype != np.uint8 for image in images)
    step = replace(step, settings={**step.settings, "low": 0.0, "high": 1.0 if is_deep else 255.0})

    def load(path: Path) -> Batch:
        pixels = unit_pixels(read_image(path)[None], step)
        return {COLUMN: pixels if is_deep else np.round(pixels * 255).astype(np.uint8)}

    return Media(step, load, {COLUMN: np.zeros((1, *size), np.uint8)}, is_prepared=False)


def _some_images(train: Sequence[File]) -> np.ndarray:
    images = []
    for file in train[:: max(len(train) // FIT_FILES, 1)]:
        try:
            images.append(read_image(file.path))
        except DataError:  # told when all files are read
            continue
    if not images:
        raise DataError(f"none of the images can be read, such as {train[0].path}")
    some = np.empty(len(images), object)
    some[:] = images
    return some
