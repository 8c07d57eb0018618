"""The program of one stage: `python -m pomona.compile.pipeline.stage_process`, started by a Pipeline.

Its only argument is JSON: the stage's file and core, what it reads and gives, and the descriptors of its ends
of two rings. It takes a full slot of the ring before it and a free one of the ring behind it, computes from
one into the other without a copy, and hands both on. It ends when the ring before it is closed and empty, or
when nobody takes what it gives; so a pipeline whose owner dies ends by itself.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.ring import RingEnd
from pomona.compile.pipeline.tensor import Tensor
from pomona.foundation.errors import PomonaError

Slots = dict[str, np.ndarray]


@dataclass
class Work:
    """What a stage does with one entry."""

    session: PartSession | None
    before: RingEnd
    behind: RingEnd
    known: dict[tuple[int, int], Callable[[], None]] = field(default_factory=dict)
    """Pair of slots → the computation from one into the other, prepared once."""

    def run(self, full: int, free: int) -> None:
        """Fills a slot from another; what goes wrong is said in it and handed on."""
        message = self.before.message(full)
        if not message:
            try:
                self._compute(full, free)
            except PomonaError as error:
                message = str(error) or type(error).__name__
        self.behind.set_message(free, message)

    def _compute(self, full: int, free: int) -> None:
        source, target = self.before.slots[full], self.behind.slots[free]
        for name in target.keys() & source.keys():
            target[name][...] = source[name]
        if self.session is None:
            return
        if (full, free) not in self.known:
            self.known[full, free] = self.session.bound(source, target)
        self.known[full, free]()


def main() -> None:
    """Runs a stage until its input ends."""
    # Ctrl-C reaches every process of a terminal; the owner of the pipeline decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(sys.argv[1])
    if asked["core"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {asked["core"]})
    try:
        before, behind = (_ring_end(asked[name]) for name in ("before", "behind"))
        session = PartSession(asked["file"], device=asked["device"]) if asked["file"] else None
        work = Work(session, before, behind)
        # the first run of a session is slow: it is not the first entry's
        work.run(0, 0)
        os.write(asked["ready"], b"1")
        os.close(asked["ready"])
        _serve(work)
    except PomonaError as error:
        sys.exit(str(error))


def _serve(work: Work) -> None:
    while (full := work.before.take()) is not None:
        free = work.behind.take()
        if free is None:
            return
        work.run(full, free)
        if not work.behind.give(free) or not work.before.give(full):
            return


def _ring_end(asked: dict) -> RingEnd:
    tensors = [Tensor(name, dtype, tuple(shape)) for name, dtype, shape in asked["tensors"]]
    return RingEnd(tensors, asked["num_slots"], tuple(asked["files"]))


if __name__ == "__main__":
    main()
