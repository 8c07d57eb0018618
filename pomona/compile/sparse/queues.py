"""A program's tasks as threads read them: for every stage and thread a queue, with counters apart."""

from collections.abc import Sequence

import numpy as np

from pomona.compile.sparse.kernels.walk import Queue, StageEntry
from pomona.compile.sparse.layout import CACHE_LINE
from pomona.compile.sparse.lowering.task import Place, Stage, aligned_bytes
from pomona.compile.sparse.machine import Library

LINE = CACHE_LINE // 8


class Queues:
    """The tables of `kernels.walk`. Every counter has a cache line of its own."""

    def __init__(self, stages: Sequence[Stage], place: Place, library: Library):
        self._num_threads = place.num_threads
        lines = aligned_bytes(CACHE_LINE * len(stages) * (self._num_threads + 1)).view(np.int64)
        self._lines = lines.reshape(len(stages), self._num_threads + 1, LINE)
        self._num_stages = len(stages)
        rows = [_row(stage, lines, place, library) for stage, lines in zip(stages, self._lines, strict=True)]
        self._stages = place.constant(np.array(rows, np.int64))

    @property
    def counters(self) -> np.ndarray:
        """Every queue's number of the run and of its next task."""
        return self._lines[:, 1:, 0]

    @property
    def done(self) -> np.ndarray:
        """Every stage's number of tasks that are done."""
        return self._lines[:, 0, 0]

    def table(self, thread: int, stamps: np.ndarray | None) -> np.ndarray:
        """A thread's table; with `stamps`, it writes the time after each stage there."""
        address = 0 if stamps is None else stamps.ctypes.data
        return np.array([self._stages, self._num_stages, thread, self._num_threads, address], np.int64)


def _row(stage: Stage, lines: np.ndarray, place: Place, library: Library) -> list[int]:
    row = [lines[0].ctypes.data, sum(map(len, stage))]
    assert len(row) == StageEntry.QUEUES
    for tasks, counter in zip(stage, lines[1:], strict=True):
        pairs = [
            (library.address(task.kernel), place.constant(np.array(task.entries, np.int64))) for task in tasks
        ]
        row += [place.constant(np.array(pairs, np.int64)), len(pairs), counter.ctypes.data]
    assert len(row) == StageEntry.QUEUES + Queue.SIZE * place.num_threads
    return row
