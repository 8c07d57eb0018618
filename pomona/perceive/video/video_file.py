"""The frames of a video in any container and codec that FFmpeg reads, through PyAV."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pomona.foundation.errors import DataError, MissingExtraError
from pomona.perceive.video.frame import FRAMES_A_SECOND, Image, Reel, Shot, damaged
from pomona.perceive.video.upright import Quarter, quarter_of, turn

TEXT_CODECS = ("ansi", "bintext", "xbin", "idf")
"""FFmpeg shows any text as a video of a terminal; that is never meant here."""

MOST_BREAKS = 50
"""Places at which a container may fail to be read on before the rest is given up."""

RESTART_S = 0.5
"""Times that jump back further are a new beginning, as in videos strung together: time goes on from there."""

SHORTEST_S = 1e-4
"""Between two frames whose times are the same or run back a little: time goes on for every frame."""


def video_reel(file: Path | BinaryIO, name: str) -> Reel:
    """The reel of a video. Raises DataError when it is none, or has no moving pictures."""
    av = pyav()
    container = _open(av, file, name)
    stream = _picture_stream(container, name)
    # one thread: with more, an error is reported a few packets after the one that caused it
    stream.codec_context.thread_count = 1
    rate = float(stream.average_rate or stream.guessed_rate or 0) or None
    converter = av.video.reformatter.VideoReformatter()
    video = _Container(container, stream, name, rate or FRAMES_A_SECOND, converter)
    shots = video.shots()
    first = next(shots, None)
    if first is None:
        raise DataError(f"{name} holds no frame that can be read")
    height, width = first.image().shape[:2] if video.is_readable(first) else (None, None)
    return Reel(
        "video",
        name,
        _from_first(first, shots),
        total=_total(stream, container, rate),
        rate=rate,
        width=width,
        height=height,
        remarks=video.remarks,
    )


def pyav() -> Any:
    """The module av."""
    try:
        import av
    except ImportError:
        raise MissingExtraError("av", "perceive") from None
    return av


def _open(av: Any, file: Path | BinaryIO, name: str) -> Any:
    try:
        return av.open(str(file) if isinstance(file, Path) else file, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(file, Path) and _lacks_index(file):
            raise DataError(
                f"{name} is cut short: its index, which comes last, is missing: copy it once more"
            ) from error
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{name} cannot be read as a video or picture: {reason}") from error


def _lacks_index(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(12)[4:8] == b"ftyp"


def _picture_stream(container: Any, name: str) -> Any:
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & stream.disposition.attached_pic
        and stream.codec_context.name not in TEXT_CODECS
    ]
    if streams:
        return max(streams, key=lambda stream: bool(stream.disposition & stream.disposition.default))
    has_sound = bool(container.streams.audio)
    container.close()
    what = "sound but no pictures" if has_sound else "no pictures"
    raise DataError(f"{name} holds {what}: give a video, a picture or a folder of pictures")


def _total(stream: Any, container: Any, rate: float | None) -> int | None:
    if stream.frames:
        return stream.frames
    if rate is None:
        return None
    if stream.duration is not None:
        return max(1, round(stream.duration * stream.time_base * rate))
    return max(1, round(container.duration / 1e6 * rate)) if container.duration else None


def _from_first(first: Shot, shots: Generator[Shot]) -> Generator[Shot]:
    with closing(shots):
        yield first
        yield from shots


@dataclass(eq=False)
class _Container:
    container: Any
    stream: Any
    name: str
    rate: float
    converter: Any  # kept, because setting one up takes as long as converting three frames
    remarks: list[str] = field(default_factory=list)
    _index: int = 0
    _last_s: float = -1.0
    _start: float | None = None
    _lost: list[tuple[float, str]] = field(default_factory=list)  # time and reason of packets that failed
    _turn: tuple[int, Quarter] | None = None  # the rotation and the turn of the frame before
    _damaged: set[int] = field(default_factory=set)

    def shots(self) -> Generator[Shot]:
        """Every frame in the order of its time; one for each that was lost, which says so when it is made."""
        try:
            if self.stream.start_time is not None:
                self._start = float(self.stream.start_time * self.stream.time_base)
            num_packets = 0
            for packet in self._packets():
                num_packets += packet.size > 0
                yield from self._decoded(packet)
            yield from self._lost_before(float("inf"))
            self._notice_cut(num_packets)
        finally:
            self.container.close()

    def is_readable(self, shot: Shot) -> bool:
        """Whether a shot is a frame, not the place of one that was lost."""
        return shot.index not in self._damaged

    def _notice_cut(self, num_packets: int) -> None:
        end_s = self._last_s + 2 / self.rate
        container = self.container
        if self.stream.frames > num_packets:
            there = f"{num_packets} of its {self.stream.frames} frames are there"
        elif not container.streams.audio and container.duration and container.duration / 1e6 > 1.02 * end_s:
            there = f"{self._last_s:.1f} of its {container.duration / 1e6:.1f} s are there"
        else:
            return
        self.remarks.append(f"{self.name} is cut short: {there}")

    def _packets(self) -> Generator[Any]:
        av = pyav()
        for _ in range(MOST_BREAKS):
            try:
                yield from self.container.demux(self.stream)
                return
            except av.error.FFmpegError as error:
                reason = error
        self.remarks.append(f"{self.name} cannot be read after {self._last_s:.1f} s: {reason}")

    def _decoded(self, packet: Any) -> Generator[Shot]:
        try:
            frames = packet.decode()
        except pyav().error.FFmpegError as error:
            pts = packet.pts if packet.pts is not None else packet.dts
            time = self._last_s if pts is None else self._time(float(pts * packet.time_base))
            self._lost.append((time, error.strerror or str(error)))
            return
        for frame in frames:
            time_s = self._shown_at(frame)
            yield from self._lost_before(time_s)
            if frame.is_corrupt:
                yield self._shot(time_s, self._missing("only a part of it is there"))
            else:
                yield self._shot(time_s, partial(_pixels, frame, self._quarter(frame), self.converter))

    def _quarter(self, frame: Any) -> Quarter:
        # asking a frame for its side data ties a knot that keeps it in memory until garbage is collected
        if self._turn is None or self._turn[0] != frame.rotation:
            matrix = frame.side_data.get("DISPLAYMATRIX")
            turn = quarter_of(None if matrix is None else np.frombuffer(matrix, np.int32))
            self._turn = frame.rotation, turn
        return self._turn[1]

    def _shown_at(self, frame: Any) -> float:
        # AVI stores when a frame is decoded, not when it is shown; the two differ where frames are reordered
        has_times = self.container.format.name != "avi" or not self.stream.codec_context.has_b_frames
        following_s = self._last_s + 1 / self.rate if self._index else 0.0
        if not has_times or frame.pts is None or frame.time_base is None:
            return following_s
        time_s = self._time(float(frame.pts * frame.time_base))
        if time_s < self._last_s - RESTART_S and self._start is not None:
            self._start += time_s - following_s
            return following_s
        return time_s

    def _time(self, time_s: float) -> float:
        if self._start is None:
            self._start = time_s
        return time_s - self._start

    def _lost_before(self, time_s: float) -> Generator[Shot]:
        earlier = sorted(item for item in self._lost if item[0] < time_s)
        self._lost = [item for item in self._lost if item[0] >= time_s]
        for lost_s, reason in earlier:
            yield self._shot(lost_s, self._missing(reason))

    def _missing(self, reason: str) -> Any:
        self._damaged.add(self._index)
        return damaged(f"frame {self._index} of {self.name} is damaged: {reason}")

    def _shot(self, time_s: float, image: Any) -> Shot:
        time_s = max(time_s, self._last_s + SHORTEST_S, 0.0)
        shot = Shot(self._index, time_s, image)
        self._last_s = time_s
        self._index += 1
        return shot


def _pixels(frame: Any, quarter: Quarter, converter: Any) -> Image:
    try:
        pixels = converter.reformat(frame, format="rgb24").to_ndarray()
    except (pyav().error.FFmpegError, ValueError) as error:
        raise DataError(f"a frame of the format {frame.format.name} cannot be made RGB: {error}") from error
    return turn(pixels, quarter)
