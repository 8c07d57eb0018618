"""Pose, hands and face of people in single frames, in sequences of frames, and in whole videos."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.keywords import split_keywords
from pomona.foundation.run import available_threads
from pomona.perceive.graph import Graph, Packet, Result, Runner, StageTimes
from pomona.perceive.holistic.pipeline import holistic_graph
from pomona.perceive.holistic.record import Observation
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.video import VideoFrame, open_frames

MEDIAPIPE_TICK_S = 0.033333
"""How far MediaPipe's clock goes on at every frame, whatever the camera does."""


MOST_POSE_THREADS = 2
"""Beyond these the pose model gains little."""


class Holistic:
    """Finds pose, hands and face of every person in view.

    Give it frames in order: people, hands and faces are followed from one to the next. One frame at a time,
    or a stream; two streams want two of it. It loads models (fetched at the first use) and holds threads:
    close it, or use it in a `with` block.

    >>> with Holistic(people=2) as holistic:  # doctest: +SKIP
    ...     for seen in holistic.stream("dance.mp4"):
    ...         for person in seen:
    ...             print(seen.time_s, person.person, person.pose[0, :2])
    """

    def __init__(
        self, settings: HolisticSettings | None = None, *, threads: int | None = None, **fields: Any
    ):
        if settings is not None and fields:
            raise SettingError("give Holistic either settings or their fields, not both")
        self.settings = settings or split_keywords(fields, HolisticSettings)[0]
        self._threads = threads or available_threads()
        self.graph: Graph = holistic_graph(self.settings)
        self._runner = Runner(self.graph, threads=self._threads)
        self._frames = 0

    def process(self, image: UInt8[np.ndarray, "height width 3"], time_s: float | None = None) -> Observation:
        """Who is in the next frame, an RGB picture.

        `time_s` is when it was taken, in seconds on any clock; without it, now. Raises DataError for anything
        but an RGB picture of 8 bits.
        """
        now = time.monotonic() if time_s is None else time_s
        # nothing else can be done before the pose is there
        packet = self._packet(
            VideoFrame(self._frames, now, image), threads=min(self._threads, MOST_POSE_THREADS)
        )
        result = self._runner.result(packet)
        return _observation(packet, result.values["records"], result.stage_ms)

    def run(
        self, frames: Iterable[VideoFrame], *, on_error: Literal["stop", "skip"] = "stop"
    ) -> Iterator[Observation]:
        """An observation a frame, in order; several frames are worked on at once.

        With `on_error="skip"` a frame that fails is left out, and the one before it is followed on.
        """
        for result in self._results(frames, on_error):
            if result.error is None:
                yield _observation(result.packet, result.values["records"], result.stage_ms)

    def results(self, frames: Iterable[VideoFrame]) -> Iterator[Result]:
        """What became of every frame, failed ones included: `values["records"]`, or `error`."""
        return self._results(frames, "skip")

    def stream(self, source: str | Path, *, every: int = 1) -> Iterator[Observation]:
        """An observation for every frame, or every n-th, of a video, picture, folder or camera."""
        with open_frames(source, every=every) as frames:
            yield from self.run(frames)

    def timings(self) -> dict[str, StageTimes]:
        """What each stage took, since the beginning or the last `reset`."""
        return self._runner.timings()

    def reset(self) -> None:
        """Forgets everyone: the next frame is the first of another stream."""
        self._runner.reset()
        self._frames = 0

    def close(self) -> None:
        """Ends its threads."""
        self._runner.close()

    def __enter__(self) -> "Holistic":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _results(self, frames: Iterable[VideoFrame], on_error: Literal["stop", "skip"]) -> Iterator[Result]:
        pose_threads = 1

        def packets() -> Iterator[Packet]:
            for frame in frames:
                yield self._packet(frame, pose_threads)

        for result in self._runner.files(packets(), on_error=on_error):
            pose_threads = self._pose_threads(result.stage_ms)
            yield result

    def _pose_threads(self, stage_ms: Mapping[str, float]) -> int:
        """How many threads the pose is worth: one, unless the other stages leave theirs idle."""
        pose = stage_ms.get("pose", 0.0)
        idle = sum(stage_ms.values()) - pose < pose / 2
        return min(self._threads, MOST_POSE_THREADS) if idle else 1

    def _packet(self, frame: VideoFrame, threads: int = 1) -> Packet:
        image = _checked(frame.image)
        self._frames += 1
        time_s = float(frame.time_s)
        clock_s = self._frames * MEDIAPIPE_TICK_S if self.settings.faithful else time_s
        values = {
            "image": image,
            "time_s": time_s,
            "clock_s": clock_s,
            "frame": frame.index,
            "threads": threads,
        }
        return Packet(frame.index, time_s, values)


def _checked(image: np.ndarray) -> np.ndarray:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        got = f"{image.dtype}{list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise DataError(f"a frame is an array of uint8[height, width, 3], RGB; got {got}")
    height, width = image.shape[:2]
    if not (0 < height <= 32767 and 0 < width <= 32767):
        raise DataError(f"a frame has 1 to 32,767 pixels a side, got {width} × {height}")
    return image


def _observation(packet: Packet, records: tuple, stage_ms: dict[str, float]) -> Observation:
    image = packet.values["image"]
    height, width = image.shape[:2]
    return Observation(packet.frame, packet.time_s, width, height, records, image, stage_ms)
