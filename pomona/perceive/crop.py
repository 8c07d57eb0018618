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


class Crop:
    """Crops of one size. What it gives lies in its own memory until the next: for one thread at a time."""

    def __init__(self, width: int, height: int):
        self._columns, self._rows = np.arange(width, dtype=float), np.arange(height, dtype=float)
        # allocating these anew for each crop takes longer than filling them
        self._both = np.empty((height, width), np.int64)
        self._places = np.empty((height, width, 2), np.int16)
        self._shares, self._along = np.empty((2, height, width), np.uint16)
        self._pixels = None

    def take(
        self, image: UInt8[np.ndarray, "height width 3"], region: Region, border: Border = "replicate"
    ) -> UInt8[np.ndarray, "crop_height crop_width 3"]:
        """The region's pixels, its corners at the corners of the crop.

        Beyond the frame are its outermost pixels, or with `border="zero"` black. Frames have at most 32,767
        pixels a side.
        """
        height, width = self._both.shape
        cosine, sine = math.cos(region.rotation), math.sin(region.rotation)
        left = region.x - (region.width * cosine - region.height * sine) / 2
        top = region.y - (region.width * sine + region.height * cosine) / 2
        along = (region.width * cosine / width, region.width * sine / width)
        down = (-region.height * sine / height, region.height * cosine / height)
        return self.resample(image, (left, top), along, down, border)

    def resample(
        self,
        image: np.ndarray,
        origin: tuple[float, float],
        along: tuple[float, float],
        down: tuple[float, float],
        border: Border,
    ) -> np.ndarray:
        """The picture whose pixel in column i, row j is that of `image` at origin + i · along + j · down."""
        cv2 = _cv2()
        steps = _packed(self._columns * along[0], self._columns * along[1])
        lines = _packed(
            self._rows * down[0] + (origin[0] + _HALF_STEP), self._rows * down[1] + (origin[1] + _HALF_STEP)
        )
        both = np.add.outer(lines, steps, out=self._both)
        # for every pixel: the neighbour left above its source, and the shares of all four
        halves = both.view(np.uint16).reshape(*both.shape, 4)
        self._places[...] = halves.view(np.int16)[..., 1::2]
        shares = np.right_shift(halves[..., 2], 11, out=self._shares)
        np.left_shift(shares, 5, out=shares)
        np.bitwise_or(shares, np.right_shift(halves[..., 0], 11, out=self._along), out=shares)
        mode = cv2.BORDER_REPLICATE if border == "replicate" else cv2.BORDER_CONSTANT
        pixels = cv2.remap(image, self._places, shares, cv2.INTER_LINEAR, dst=self._pixels, borderMode=mode)
        self._pixels = pixels
        return pixels


def crop(
    image: UInt8[np.ndarray, "height width 3"],
    region: Region,
    width: int,
    height: int,
    border: Border = "replicate",
) -> UInt8[np.ndarray, "crop_height crop_width 3"]:
    """One crop of width × height pixels, as `Crop.take` makes it."""
    return Crop(width, height).take(image, region, border)


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
    inside = Crop(int(right - left), int(bottom - top))
    frame[top:bottom, left:right] = inside.resample(
        picture, origin, (cosine * x_share, -sine * y_share), (sine * x_share, cosine * y_share), "zero"
    )
    return frame


def _packed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two 16.16 numbers in one 64-bit integer, so that one addition moves both."""
    low = np.rint(x * _FIXED).astype(np.int64)
    high = np.rint(y * _FIXED).astype(np.int64)
    return (high << 32) + low


@functools.cache
def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "perceive") from error
    return cv2
