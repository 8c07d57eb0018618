"""Writing videos: H.264 in MP4, with the real time of every frame."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import RunError
from pomona.perceive.video.frame import FRAMES_A_SECOND, Image
from pomona.perceive.video.video_file import pyav

TICKS = 90_000
"""Units of time a second."""

ENCODING = {"preset": "superfast", "crf": "20", "bf": "0"}
"""Without B-frames packets stand in the order of their times, and videos can be joined as they are."""

CONTAINER = {"movflags": "faststart", "movie_timescale": str(TICKS)}
"""The index comes first, for players on a network; and a video that starts late starts so to the tick."""


class VideoWriter:
    """Writes frames of any size into a video of one size (width, height); a context manager.

    The video is at `path` once it is closed, whole or not at all. Sides are made even by repeating the last
    row or column; a frame of another size is fitted in on black. Frames come in the order of their times.
    """

    def __init__(self, path: str | Path, rate: float | None, size: tuple[int, int]):
        av = pyav()
        self._path = Path(path)
        self._temporary = self._path.with_name(f".{self._path.name}.part")
        self._size = size
        self._last_tick = -1
        self._converter = av.video.reformatter.VideoReformatter()
        with _storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._container: Any = av.open(str(self._temporary), "w", format="mp4", options=CONTAINER)
        fraction = max(Fraction(rate or FRAMES_A_SECOND).limit_denominator(1001), Fraction(1))
        self._stream: Any = self._container.add_stream("libx264", rate=fraction, options=ENCODING)
        self._stream.width, self._stream.height = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)

    def write(self, image: Image, time_s: float) -> None:
        """Adds one frame, RGB."""
        self._last_tick = max(round(time_s * TICKS), self._last_tick + 1)
        frame = pyav().VideoFrame.from_ndarray(_even(_fitted(image, self._size)), format="rgb24")
        frame = self._converter.reformat(frame, format="yuv420p")
        frame.pts, frame.time_base = self._last_tick, Fraction(1, TICKS)
        with _storage_errors(self._path):
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finishes the video."""
        if self._container is None:
            return
        with _storage_errors(self._path):
            self._container.mux(self._stream.encode(None))
            self._end()
            os.replace(self._temporary, self._path)

    def discard(self) -> None:
        """Gives the video up; nothing is left of it."""
        if self._container is not None:
            with suppress(OSError):
                self._end()
            with suppress(OSError):
                self._temporary.unlink()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close() if kind is None else self.discard()

    def _end(self) -> None:
        container, self._container = self._container, None
        container.close()


def join_videos(parts: Sequence[Path], path: Path) -> None:
    """One video of videos that follow each other in time and were written alike; nothing is encoded again."""
    av = pyav()
    temporary = path.with_name(f".{path.name}.part")
    with _storage_errors(path):
        with av.open(str(temporary), "w", format="mp4", options=CONTAINER) as joined:
            stream: Any = None
            for part in parts:
                with av.open(str(part)) as container:
                    source = container.streams.video[0]
                    stream = stream or joined.add_stream_from_template(source)
                    for packet in container.demux(source):
                        if packet.dts is not None:
                            packet.stream = stream
                            joined.mux(packet)
        os.replace(temporary, path)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    import cv2

    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    resized = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    fitted[top : top + inner[1], left : left + inner[0]] = resized
    return fitted


def _even(image: Image) -> Image:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
