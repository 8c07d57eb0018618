"""Image files as arrays."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from pomona.foundation.errors import DataError, MissingExtraError

COLOUR_MODES = ("RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "P", "PA")


def read_image(path: Path) -> Shaped[np.ndarray, "height width *channel"]:
    """The pixels as a viewer shows them, turned as EXIF says: uint8, or uint16 where the file has more bits.

    Grey images have no channel axis; a palette becomes RGB or RGBA; of several frames the first is read.
    Raises DataError, naming the file, when it cannot be read.
    """
    _need_pillow()
    from PIL import ImageOps

    try:
        with _opened(path) as image:
            return _pixels(ImageOps.exif_transpose(image))
    except _unreadable() as error:
        raise DataError(f"cannot read the image {path}: {_first_line(error)}") from error


def read_image_shape(path: Path) -> tuple[int, int, int]:
    """Height, width and number of channels (1 or 3, without opacity), from the header alone."""
    _need_pillow()
    try:
        with _opened(path) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # orientations 5 … 8 lie on their side
                width, height = height, width
            return height, width, 3 if image.mode in COLOUR_MODES else 1
    except _unreadable() as error:
        raise DataError(f"cannot read the image {path}: {_first_line(error)}") from error


def _pixels(image: Any) -> np.ndarray:
    if image.mode in ("L", "RGB", "RGBA", "LA"):
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):  # wide pixels have no known range: what 16 bits hold is taken as such
        return np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
    has_opacity = image.mode in ("PA", "RGBa") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if has_opacity else "RGB"))


def _need_pillow() -> None:
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pillow", "images") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from PIL import Image

    if path.stat().st_size == 0:
        raise OSError("the file is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on odd metadata, which does not matter, and on large images
        with Image.open(path) as image:
            yield image


def _unreadable() -> tuple[type[Exception], ...]:
    from PIL.Image import DecompressionBombError

    return (OSError, ValueError, SyntaxError, EOFError, IndexError, DecompressionBombError)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
