"""Time in nanoseconds, and waiting for a moment. Whoever makes load takes a clock as an argument."""

import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from typing import Protocol

SPIN_NS = 200_000
"""The end of a wait that is not slept: the kernel wakes a sleeper some tens of microseconds late."""


class Clock(Protocol):
    """What time it is. Tests give one on which nothing takes time but what says so."""

    def now(self) -> int:
        """Nanoseconds since some moment."""
        ...

    def wait_until(self, moment: int) -> None:
        """Returns at `moment`, or at once when that is past."""
        ...


class MachineClock:
    """The machine's own: sleeps, then looks at the time again and again."""

    def now(self) -> int:
        """Nanoseconds of `time.perf_counter_ns`."""
        return time.perf_counter_ns()

    def wait_until(self, moment: int) -> None:
        """Returns some microseconds after `moment`."""
        left = moment - time.perf_counter_ns()
        if left > SPIN_NS:
            time.sleep((left - SPIN_NS) / 1e9)
        while time.perf_counter_ns() < moment:
            # lets go of Python's lock: a worker that waits for it would lose up to a switch interval
            time.sleep(0)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection in the block, and threads that wait for Python's lock get it within 0.5 ms."""
    was_enabled, interval = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if was_enabled:
            gc.enable()
