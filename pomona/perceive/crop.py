"""Regions of a frame as the pixels that a model takes: bilinear, in whole 1/32 pixels.

The arithmetic is that of OpenCV 4's warpPerspective: coordinates are rounded to 1/32 pixel and a pixel is
(Σ weight · neighbour + 512) >> 10 with whole weights. OpenCV 5 resamples otherwise, and landmarks then move
by half a pixel; so the coordinates are made here, and OpenCV only looks the pixels up, which all its versions
do alike.
"""

import functools
import math
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, UInt8

from pomona.foundation.errors import MissingExtraError
from pomona.perceive.region import Region

Border = Literal["replicate", "zero"]

_HALF_STEP = 1 / 64  # rounds to the nearest 1/32 where the low bits are cut off
_FIXED = 65536.0  # coordinates are kept as 16.16 fixed point: 2⁻¹⁶ pixel is far below 1/32


def crop(
    image: UInt8[np.ndarray, "height width 3"],
    region: Region,
    width: int,
    height: int,
    border: Border = "replicate",
) -> UInt8[np.ndarray, "crop_height crop_width 3"]:
    """The region's pixels, its corners at the corners of a width × height picture.

    Beyond the frame are its outermost pixels, or with `border="zero"` black. Frames have at most 32,767
    pixels a side.
    """
    cosine, sine = math.cos(region.rotation), math.sin(region.rotation)
    left = region.x - (region.width * cosine - region.height * sine) / 2
    top = region.y - (region.width * sine + region.height * cosine) / 2
    along = (region.width * cosine / width, region.width * sine / width)
    down = (-region.height * sine / height, region.height * cosine / height)
    return _resample(image, (left, top), along, down, (width, height), border)


def uncrop(
    picture: Float[np.ndarray, "crop_height crop_width"], region: Region, width: int, height: int
) -> Float[np.ndarray, "height width"]:
    """A frame of width × height with a picture of the region laid back into it, zero elsewhere."""
    down, across = picture.shape
    cosine, sine = math.cos(region.rotation), math.sin(region.rotation)
    x_share, y_share = across / region.width, down / region.height
    frame = np.zeros((height, width), picture.dtype)
    box = region.corners()
    left, top = np.clip(np.floor(box.min(axis=0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(box.max(axis=0)) + 1, 0, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return frame
    x, y = left - region.x, top - region.y
    origin = ((x * cosine + y * sine) * x_share + across / 2, (y * cosine - x * sine) * y_share + down / 2)
    frame[top:bottom, left:right] = _resample(
        picture,
        origin,
        (cosine * x_share, -sine * y_share),
        (sine * x_share, cosine * y_share),
        (int(right - left), int(bottom - top)),
        "zero",
    )
    return frame


def _resample(
    image: np.ndarray,
    origin: tuple[float, float],
    along: tuple[float, float],
    down: tuple[float, float],
    size: tuple[int, int],
    border: Border,
) -> np.ndarray:
    """The picture of `size` whose pixel (i, j) is that of `image` at origin + i·along + j·down."""
    cv2 = _cv2()
    width, height = size
    columns, rows = _counts(width), _counts(height)
    steps = _packed(columns * along[0], columns * along[1])
    lines = _packed(rows * down[0] + (origin[0] + _HALF_STEP), rows * down[1] + (origin[1] + _HALF_STEP))
    both = np.add.outer(lines, steps)
    # for every pixel: the neighbour left above its source, and the shares of all four
    places = np.ascontiguousarray(both.view(np.int16).reshape(height, width, 4)[..., 1::2])
    fractions = both.view(np.uint16).reshape(height, width, 4)
    shares = ((fractions[..., 2] >> 11) << 5) | (fractions[..., 0] >> 11)
    mode = cv2.BORDER_REPLICATE if border == "replicate" else cv2.BORDER_CONSTANT
    return cv2.remap(image, places, shares, cv2.INTER_LINEAR, borderMode=mode)


def _packed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two 16.16 numbers in one 64-bit integer, so that one addition moves both."""
    low = np.rint(x * _FIXED).astype(np.int64)
    high = np.rint(y * _FIXED).astype(np.int64)
    return (high << 32) + low


@functools.cache
def _counts(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float64)


@functools.cache
def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "perceive") from error
    return cv2
