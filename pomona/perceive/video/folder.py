"""The pictures of a folder, in the order in which a person numbers them."""

import re
from collections.abc import Generator
from functools import partial
from pathlib import Path

from pomona.foundation.errors import DataError
from pomona.perceive.video.frame import FRAMES_A_SECOND, Reel, Shot, legible
from pomona.perceive.video.picture import pillow_image, read_picture

NO_PICTURES = ("MPEG", "PDF", "PSD", "EPS", "WMF")
"""Formats that Pillow knows but in part, or that need another program."""


def folder_reel(folder: Path) -> Reel:
    """The reel of the pictures right in `folder`; 2.jpg comes before 10.jpg. Raises DataError without any."""
    try:
        files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror}") from error
    files = sorted(filter(is_called_picture, files), key=_natural)
    if not files:
        raise DataError(
            f"{folder} holds no pictures (sub-folders are not searched): give one that does, or a video"
        )
    return Reel("folder", legible(folder.name), _shots(files), total=len(files), rate=FRAMES_A_SECOND)


def is_called_picture(path: Path) -> bool:
    """Whether the ending of a file's name promises a picture."""
    kind = pillow_image().registered_extensions().get(path.suffix.lower())
    return kind is not None and kind not in NO_PICTURES


def _natural(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.split(r"(\d+)", path.name.lower())
    return [(0, int(piece), piece) if piece.isdecimal() else (1, 0, piece) for piece in pieces]


def _shots(files: list[Path]) -> Generator[Shot]:
    for index, path in enumerate(files):
        name = legible(path.name)
        yield Shot(index, index / FRAMES_A_SECOND, partial(read_picture, path, name), name)
