"""The threads of a program: they wait in native code for the next run, and sleep when it does not come."""

import threading
import weakref
from collections.abc import Callable, Sequence

import numpy as np

from pomona.compile.sparse.kernels.walk import RUN_SHIFT

SPINS = 40_000
"""How long a thread waits awake for the next run before it sleeps: about a millisecond."""


class Crew:
    """Runs the stages of a program with as many threads as there are tables; the caller's own is the first.

    `walk(table, run)` does a run's tasks, `wait(table)` waits for a number in memory to change; both leave
    the interpreter's lock alone. `counters` are the queues' and `done` the stages', which each run begins
    anew. Every thread keeps `kept`, all memory that its table points to, until it ends: it may be late, and
    still read and write there when the run is over and the program gone.
    """

    def __init__(
        self,
        walk: Callable[[int, int], None],
        wait: Callable[[int], None],
        tables: Sequence[np.ndarray],
        counters: np.ndarray,
        done: np.ndarray,
        kept: object,
    ):
        self._walk, self._table = walk, tables[0]
        self._counters, self._done = counters, done
        # the number of the run, far from what others write
        self._run = np.zeros(64, np.int64)
        self._events = [threading.Event() for _ in tables[1:]]
        self._is_closed = threading.Event()
        for event, table in zip(self._events, tables[1:], strict=True):
            arguments = (walk, wait, self._run, event, self._is_closed, (table, kept))
            threading.Thread(target=_work, args=arguments, daemon=True).start()
        self._finalizer = weakref.finalize(self, _close, self._is_closed, self._events)

    def run(self, instead: np.ndarray | None = None) -> None:
        """Does every task of every stage; the first thread's table may have a stand-in."""
        run = int(self._run[0]) % (2 ** (63 - RUN_SHIFT) - 1) + 1
        # counters first: a thread that is late then sees that its run is over
        self._counters[:] = run << RUN_SHIFT
        self._done[:] = 0
        self._run[0] = run
        for event in self._events:
            event.set()
        self._walk((self._table if instead is None else instead).ctypes.data, run)

    def close(self) -> None:
        """Ends the threads."""
        self._finalizer()


def _close(is_closed: threading.Event, events: Sequence[threading.Event]) -> None:
    is_closed.set()
    for event in events:
        event.set()


def _work(walk, wait, run: np.ndarray, event: threading.Event, is_closed: threading.Event, kept) -> None:
    table = kept[0].ctypes.data
    watch = np.array([run.ctypes.data, 0, SPINS], np.int64)
    while not is_closed.is_set():
        wait(watch.ctypes.data)
        if run[0] == watch[1]:
            event.wait()
            event.clear()
            continue
        watch[1] = run[0]
        walk(table, int(watch[1]))
