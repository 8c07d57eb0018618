"""A picture file as upright RGB of eight bits, whatever was in it."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError, MissingExtraError
from pomona.perceive.video.frame import Image

ANIMATED_FORMATS = ("GIF", "PNG", "WEBP")
"""Several pictures are an animation in these; in others they are thumbnails, pages or a second eye."""


def read_picture(file: Path | bytes, name: str = "") -> Image:
    """The pixels of a picture: turned as its EXIF says, on white where it is transparent.

    Sixteen bits become eight by leaving out the lower ones. Raises DataError when it cannot be read.
    """
    picture = open_picture(file, name)
    if picture is None:
        raise DataError(f"{name or file} cannot be read as a picture: is it one, and whole?")
    with picture:
        return pixels(picture, name or str(file))


def open_picture(file: Path | bytes, name: str = "") -> Any:
    """The Pillow image in a file, its pixels not read yet; None when it is no picture that Pillow knows."""
    pillow = pillow_image()
    try:
        return pillow.open(io.BytesIO(file) if isinstance(file, bytes) else file)
    except pillow.DecompressionBombError as error:
        raise DataError(f"{name or file} is too large a picture: {error}") from error
    except Exception as error:
        # Pillow's readers answer damaged headers with errors of many kinds
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"cannot read {name or file}: {error.strerror}") from error
        return None


def pillow_image() -> Any:
    """The module PIL.Image."""
    try:
        from PIL import Image as pillow
    except ImportError:
        raise MissingExtraError("pillow", "perceive") from None
    return pillow


def is_animation(picture: Any) -> bool:
    """Whether a Pillow image is an animation."""
    return picture.format in ANIMATED_FORMATS and getattr(picture, "n_frames", 1) > 1


def pixels(picture: Any, name: str) -> Image:
    """A Pillow image as upright RGB. Raises DataError when its pixels are damaged."""
    from PIL import ImageOps

    try:
        picture.load()
        return np.ascontiguousarray(_eight_bits(ImageOps.exif_transpose(picture)))
    except MemoryError:
        raise DataError(f"{name} is too large a picture: {picture.width} by {picture.height}") from None
    except Exception as error:
        raise DataError(f"{name} is a damaged picture: {error}") from error


def _eight_bits(picture: Any) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):
        return np.repeat(_levels(np.asarray(picture))[:, :, None], 3, axis=2)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = pillow_image().new("RGBA", picture.size, "white")
        picture = pillow_image().alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))


def _levels(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint16 or (values.dtype.kind == "i" and values.max(initial=0) > 255):
        return np.clip(values // 256, 0, 255).astype(np.uint8)
    if values.dtype.kind == "f" and np.nanmax(values, initial=0) <= 1:
        values = values * 255
    return np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
