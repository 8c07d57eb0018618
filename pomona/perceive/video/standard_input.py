"""Frames from a pipe: a picture or video of which only the beginning is there yet."""

import shutil
import sys
import tempfile
from dataclasses import replace
from typing import Any, BinaryIO, cast

from pomona.foundation.errors import DataError
from pomona.perceive.video.frame import Reel
from pomona.perceive.video.picture import open_picture
from pomona.perceive.video.picture_reel import picture_reel
from pomona.perceive.video.video_file import video_reel

HEAD_BYTES = 65_536
"""Enough to tell what is coming."""


def standard_input_reel() -> Reel:
    """The reel of what is piped into this process. Raises DataError when nothing is."""
    if sys.stdin is None or sys.stdin.isatty():
        raise DataError("- reads standard input, which is a terminal here: pipe a picture or a video into it")
    return pipe_reel(sys.stdin.buffer)


def pipe_reel(pipe: BinaryIO, name: str = "standard input") -> Reel:
    """The reel of what a pipe brings. Videos are read as they come, except MP4: its index may come last."""
    head = pipe.read(HEAD_BYTES)
    if not head:
        raise DataError(f"{name} is empty: pipe a picture or a video into it")
    if open_picture(head, name) is not None:
        reel = picture_reel(open_picture(head + pipe.read(), name), name)
    elif head[4:8] == b"ftyp":
        reel = video_reel(_whole(head, pipe), name)
    else:
        reel = video_reel(cast(BinaryIO, _Rejoined(head, pipe)), name)
    return replace(reel, is_live=True)


def _whole(head: bytes, pipe: BinaryIO) -> BinaryIO:
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(head)
    shutil.copyfileobj(pipe, file)
    file.seek(0)
    return file


class _Rejoined:
    """A pipe whose beginning was read already. It has no `seek`, which tells PyAV that it is a pipe."""

    def __init__(self, head: bytes, pipe: BinaryIO):
        self._head = head
        self._pipe = pipe

    def read(self, size: int) -> bytes:
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._pipe.read(size)
