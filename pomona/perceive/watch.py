"""Looking at every frame of a source and writing down what is seen, with a place to go on from."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from pomona.foundation.console import Progress
from pomona.foundation.run import Run
from pomona.perceive.graph.packet import Result
from pomona.perceive.holistic.record import Observation
from pomona.perceive.recorder import Recorder
from pomona.perceive.tally import Tally
from pomona.perceive.video import FrameSource, VideoFrame

PART_FRAMES = 300
"""Frames after which files are finished and the place is saved: what a crash can cost."""


@dataclass
class Place:
    """How far the work is: plain data below `Run.save`."""

    next_frame: int = 0
    parts: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    remarks: list[str] = field(default_factory=list)
    is_joined: bool = False

    def save(self, run: Run) -> None:
        """Keeps the place in the run's folder."""
        run.save("place", {**vars(self), "tally": self.tally.to_json()})

    @classmethod
    def restore(cls, run: Run) -> "Place":
        """The place that was kept, or the beginning."""
        kept = run.restore("place")
        return cls() if kept is None else cls(**{**kept, "tally": Tally.from_json(kept["tally"])})


def watch(
    source: FrameSource, holistic: Any, recorder: Recorder, place: Place, *, every: int, run: Run
) -> None:
    """Looks at the frames of `source` until it ends or the run should stop; `place` is then where it is.

    A frame that cannot be read, or on which a stage fails, is counted and left out.
    """
    names: dict[int, str] = {}
    started = time.monotonic() - place.tally.seconds
    results = holistic.results(_named(source, names))
    try:
        with run.progress("looking", source.total, "frames") as progress, closing(results):
            for count, result in enumerate(results, 1):
                _keep(result, names.pop(result.packet.frame, ""), recorder, place)
                place.next_frame = result.packet.frame + every
                _show(progress, source, place)
                if run.should_stop():
                    break
                if count % PART_FRAMES == 0:
                    _end_part(source, recorder, place, started, run)
            else:
                place.next_frame = max([place.next_frame, *(index + 1 for index, _ in source.failed)])
    except BaseException:
        recorder.discard_part()
        raise
    place.remarks += [remark for remark in source.remarks if remark not in place.remarks]
    _end_part(source, recorder, place, started, run)


def _named(source: Iterable[VideoFrame], names: dict[int, str]) -> Iterator[VideoFrame]:
    for frame in source:
        names[frame.index] = frame.name
        yield frame


def _keep(result: Result, name: str, recorder: Recorder, place: Place) -> None:
    packet = result.packet
    if result.error is not None:
        place.tally.failed.append((packet.frame, str(result.error)))
        return
    image = packet.values["image"]
    height, width = image.shape[:2]
    people = result.values["records"]
    observation = Observation(packet.frame, packet.time_s, width, height, people, image, result.stage_ms)
    recorder.write(observation, name, len(place.parts))
    place.tally.add(observation)


def _show(progress: Progress, source: FrameSource, place: Place) -> None:
    num_failed = len(place.tally.failed) + len(source.failed)
    progress.advance(1, f"{num_failed} left out" if num_failed else "")


def _end_part(source: FrameSource, recorder: Recorder, place: Place, started: float, run: Run) -> None:
    if recorder.end_part():
        place.parts.append(len(place.parts))
    known = {index for index, _ in place.tally.failed}
    reached = [item for item in source.failed if item[0] < place.next_frame and item[0] not in known]
    place.tally.failed = sorted([*place.tally.failed, *reached])
    place.tally.seconds = time.monotonic() - started
    place.save(run)
