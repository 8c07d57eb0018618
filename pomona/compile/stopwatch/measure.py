"""One measurement: connections opened, warmed up, and asked under load with nothing else going on."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pomona.compile.stopwatch import energy
from pomona.compile.stopwatch.clock import Clock, undisturbed
from pomona.compile.stopwatch.drive import Load, drive
from pomona.compile.stopwatch.systems.system import Connection, System
from pomona.compile.stopwatch.timings import GIVES_UP_AFTER, Timings
from pomona.compile.stopwatch.workers import Inline, Threads, Workers, attempt
from pomona.foundation.errors import DataError

WARM_UP_QUERIES = 5
LONGEST_WARM_UP_S = 2.0


@dataclass(frozen=True)
class Measured:
    """What a measurement found."""

    timings: Timings
    warm_up_s: float
    """Seconds of queries that came before and are in none of the numbers."""
    query_ms: float
    """Median of the warm-up."""
    energy_j: float | None


def measure(
    system: System,
    load: Load,
    clock: Clock,
    *,
    num_loaded: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Measured:
    """The system under a load. Raises DataError when it does not answer the first queries, or dies."""
    with connected(system, load.at_once) as connections:
        began = clock.now()
        times = [warm_up(one, system, load, clock, num_loaded=num_loaded) for one in connections]
        warm_up_s = (clock.now() - began) / 1e9
        counters = energy.counters()
        with carried(connections, clock, stream=load.rate is None) as workers, undisturbed():
            before = energy.read_uj(counters)
            timings = drive(load, workers, clock, num_loaded=num_loaded, should_stop=should_stop)
            used = energy.joules(counters, before, energy.read_uj(counters))
    if timings.has_died:
        raise DataError(
            f"{system.name} failed {GIVES_UP_AFTER} times in a row after {timings.num_queries} queries, "
            f"the first time with: {timings.first_failure}"
        )
    return Measured(timings, warm_up_s, float(np.median(np.concatenate(times))) / 1e6, used)


@contextlib.contextmanager
def connected(system: System, number: int) -> Iterator[list[Connection]]:
    """So many connections, closed at the end."""
    connections: list[Connection] = []
    try:
        for _ in range(number):
            connections.append(system.connect())
        yield connections
    finally:
        for connection in connections:
            connection.close()


@contextlib.contextmanager
def carried(connections: list[Connection], clock: Clock, *, stream: bool) -> Iterator[Workers]:
    """Workers for the connections: this thread for one, threads of their own for several."""
    answers = [connection.answer for connection in connections]
    if len(answers) == 1:
        yield Inline(answers[0], clock)
        return
    workers = Threads(answers, clock, depth=len(answers) if stream else 0)
    try:
        yield workers
    finally:
        workers.close()


def warm_up(
    connection: Connection, system: System, load: Load, clock: Clock, *, num_loaded: int
) -> np.ndarray:
    """Nanoseconds of the first queries: as many as fit into a tenth of the load's time, but some."""
    times: list[int] = []
    end = clock.now() + int(min(LONGEST_WARM_UP_S, load.duration_s / 10) * 1e9)
    while len(times) < WARM_UP_QUERIES or clock.now() < end:
        samples = np.arange(len(times), len(times) + load.samples_per_query) % num_loaded
        began = clock.now()
        failure = attempt(connection.answer, samples)
        if failure is not None and not times:
            raise DataError(f"{system.name} does not answer: {failure}")
        times.append(clock.now() - began)
    return np.array(times)
