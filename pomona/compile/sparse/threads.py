"""The threads of a program: they wait in native code for the next run, and sleep when it does not come."""

import threading
import weakref
from collections.abc import Callable, Sequence

import numpy as np

SPINS = 40_000
"""How long a thread waits awake for the next run before it sleeps: about a millisecond."""


class Crew:
    """Runs one list of tasks a thread; the caller's own thread does the first list.

    `walk(list, count)` runs a list, `wait(table)` waits for a number in memory to change; both leave the
    interpreter's lock alone. Their code is the `library`'s, which every thread keeps until it ends.
    """

    def __init__(
        self,
        walk: Callable[[int, int], None],
        wait: Callable[[int], None],
        lists: Sequence[tuple[int, int]],
        library: object,
    ):
        self._walk, self._lists = walk, lists
        # the number of the run, far from what others write
        self._state = np.zeros(64, np.int64)
        self._events = [threading.Event() for _ in lists[1:]]
        self._is_closed = threading.Event()
        for event, (table, count) in zip(self._events, lists[1:], strict=True):
            arguments = (walk, wait, self._state, event, self._is_closed, (table, count), library)
            threading.Thread(target=_work, args=arguments, daemon=True).start()
        self._finalizer = weakref.finalize(self, _close, self._is_closed, self._events)

    def run(self, instead: tuple[int, int] | None = None) -> None:
        """Runs every list to its end, if the lists end with a barrier; the first may have a stand-in."""
        self._state[0] += 1
        for event in self._events:
            event.set()
        self._walk(*(instead or self._lists[0]))

    def close(self) -> None:
        """Ends the threads."""
        self._finalizer()


def _close(is_closed: threading.Event, events: Sequence[threading.Event]) -> None:
    is_closed.set()
    for event in events:
        event.set()


def _work(walk, wait, state: np.ndarray, event: threading.Event, is_closed, tasks, library: object) -> None:
    done = 0
    watch = np.array([state.ctypes.data, 0, SPINS], np.int64)
    while not is_closed.is_set():
        watch[1] = done
        wait(watch.ctypes.data)
        if state[0] == done:
            event.wait()
            event.clear()
            continue
        done += 1
        walk(*tasks)
