"""Making load: queries at the moments that a scenario says, and when each of them was answered."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pomona.compile.stopwatch.clock import Clock
from pomona.compile.stopwatch.early_stopping import most_over
from pomona.compile.stopwatch.schedule import NS, SampleOrder, poisson_arrivals
from pomona.compile.stopwatch.timings import Recorder, Timings
from pomona.compile.stopwatch.workers import Workers


@dataclass(frozen=True)
class Load:
    """How queries come, and until when."""

    duration_s: float
    min_queries: int = 1
    samples_per_query: int = 1
    rate: float | None = None
    """Queries a second at random times; None sends the next one as soon as there is room for it."""
    at_once: int = 1
    """Queries that may be under way together."""
    bound_ms: float = np.inf
    percentile: float = 0.99
    gives_up: bool = False
    """Whether to stop once too many queries took longer than the bound."""
    seed: int = 0
    part: object = 0
    """Rounds that differ in this have other moments and samples."""


def drive(
    load: Load,
    workers: Workers,
    clock: Clock,
    *,
    num_loaded: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Timings:
    """Sends the queries and returns what was seen of them.

    The latency of a query at a random time counts from that time, not from when it could be sent: a system
    that stalls is charged with all queries that came meanwhile.
    """
    order = SampleOrder(num_loaded, seed=load.seed, part=load.part)
    play = _play_stream if load.rate is None else _play_schedule
    recorder = play(load, order, workers, clock, should_stop)
    workers.wait()
    return recorder.timings(load.samples_per_query)


def _play_stream(
    load: Load, order: SampleOrder, workers: Workers, clock: Clock, should_stop: Callable[[], bool]
) -> Recorder:
    recorder = Recorder(clock.now())
    until = recorder.start + int(load.duration_s * NS)
    num_sent = 0
    while num_sent < load.min_queries or clock.now() < until:
        recorder.is_stopped = should_stop()
        if recorder.is_over:
            break
        samples = order.next(load.samples_per_query)
        moment = clock.now()
        workers.submit(recorder.issue(moment, moment), samples, recorder)
        num_sent += 1
    return recorder


def _play_schedule(
    load: Load, order: SampleOrder, workers: Workers, clock: Clock, should_stop: Callable[[], bool]
) -> Recorder:
    assert load.rate is not None
    moments = poisson_arrivals(
        load.rate, load.duration_s, load.min_queries, seed=load.seed, part=load.part
    ).tolist()
    allowed = most_over(len(moments), load.percentile)
    if allowed is None:
        allowed = int((1 - load.percentile) * len(moments))
    start = clock.now()
    recorder = Recorder(start, bound_ns=load.bound_ms * 1e6, most_over=allowed if load.gives_up else None)
    for moment in moments:
        samples = order.next(load.samples_per_query)
        clock.wait_until(start + moment)
        recorder.is_stopped = should_stop()
        if recorder.is_over:
            break
        workers.submit(recorder.issue(start + moment, clock.now()), samples, recorder)
    return recorder
