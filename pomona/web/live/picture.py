"""Pixels of the JPEG that a page sends, without trusting it."""

import io
import struct

import numpy as np
from jaxtyping import UInt8

from pomona.foundation.errors import DataError, MissingExtraError


def read_jpeg(content: bytes, *, longest_side: int) -> UInt8[np.ndarray, "height width 3"]:
    """The RGB pixels of a baseline JPEG no larger than `longest_side`.

    Its size is read before anything is unpacked. Progressive JPEGs are refused: they cost as often the work
    as they have scans, and browsers send none. Raises DataError for whatever is wrong with it.
    """
    try:
        from PIL.JpegImagePlugin import JpegImageFile
    except ImportError as error:
        raise MissingExtraError("pillow", "perceive") from error
    try:
        image = JpegImageFile(io.BytesIO(content))
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, struct.error):
        raise DataError("a frame must be a JPEG, got something else") from None
    if max(image.size) > longest_side or min(image.size) < 1:
        width, height = image.size
        raise DataError(f"a frame may have {longest_side} pixels a side, got {width} × {height}")
    if image.info.get("progressive"):
        raise DataError("a frame must be a baseline JPEG, got a progressive one")
    try:
        return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, struct.error):
        raise DataError("a frame is cut off or damaged") from None
