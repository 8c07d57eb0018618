"""A frame, and what a reader knows before a frame is asked for."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal, NoReturn

import numpy as np
from jaxtyping import UInt8

from pomona.foundation.errors import DataError

Image = UInt8[np.ndarray, "height width 3"]

FRAMES_A_SECOND = 30.0
"""Assumed where nothing tells: for the pictures of a folder, arrays, and videos without times."""


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame: its place in the source, its time from the start of the source, and its pixels."""

    index: int
    time_s: float
    image: Image  # RGB, upright
    name: str = ""  # of its file, in a folder


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame that is not made yet: `image()` makes it, or raises DataError when it is damaged."""

    index: int
    time_s: float
    image: Callable[[], Image]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Reel:
    """All shots of one source, in order, and what is known of them beforehand."""

    kind: Literal["image", "video", "folder", "camera", "array"]
    name: str
    shots: Generator[Shot]
    total: int | None = None
    rate: float | None = None  # frames a second, the mean where it varies
    width: int | None = None
    height: int | None = None
    is_live: bool = False  # a camera or a pipe: it never shows the same again
    remarks: list[str] = field(default_factory=list)  # filled while reading, in plain words


def damaged(reason: str) -> Callable[[], NoReturn]:
    """What makes the image of a frame that is not there."""

    def image() -> NoReturn:
        raise DataError(reason)

    return image


def legible(name: str) -> str:
    """A file's name as text that can be printed and stored, where the file system allows any bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
