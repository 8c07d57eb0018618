"""Pictures in a report."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import MissingExtraError
from pomona.foundation.report import images, text


def pictures(
    shown: Iterable[tuple[np.ndarray, str, str]], *, caption: str = "", smallest: int = 96
) -> dict[str, Any]:
    """An item of images [channel height width] with two lines of words each; words alone without Pillow."""
    try:
        files = [(png_of(picture, smallest=smallest), *words) for picture, *words in shown]
    except MissingExtraError as error:
        return text(f"The pictures are left out: {error}.")
    return images(files, caption=caption)


def png_of(image: Float[np.ndarray, "channel height width"], *, smallest: int = 96) -> bytes:
    """A PNG of a prepared image: values stretched to full range, small ones enlarged without smoothing."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "images") from None
    low, high = float(image.min()), float(image.max())
    pixels = (255 * (image - low) / max(high - low, 1e-9)).astype(np.uint8).transpose(1, 2, 0)
    pixels = pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
    factor = max(1, -(-smallest // min(pixels.shape[:2])))
    file = io.BytesIO()
    Image.fromarray(pixels.repeat(factor, 0).repeat(factor, 1)).save(file, "PNG", optimize=True)
    return file.getvalue()
