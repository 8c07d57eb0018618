"""How long a session takes for one example on this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pomona.export.sessions.session import Session
from pomona.tasks.batch import Batch, batch_size, take


@dataclass(frozen=True)
class Latency:
    """Milliseconds a call, for a batch of one unless `batch_size` says otherwise."""

    median_ms: float
    low_ms: float
    """Lower end of an interval that holds the median of the blocks of calls with 95 %."""
    high_ms: float
    p90_ms: float
    """Nine of ten calls were at least as fast."""
    threads: int
    batch_size: int
    num_calls: int


def latency(
    session: Session,
    example: Batch,
    *,
    num_examples: int = 1,
    seconds: float = 0.2,
    num_blocks: int = 9,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Times the session after a warm-up, in blocks of calls spread over `seconds`.

    The median is that of the blocks' medians: a neighbour who holds the machine for a while disturbs some
    blocks and not the result. `example` is repeated or cut to `num_examples`.
    """
    batch = take(example, np.arange(num_examples) % batch_size(example))
    once = _warm_up(session, batch, clock)
    calls = max(3, int(seconds / num_blocks / max(once, 1e-9)))
    blocks = np.array([_times(session, batch, calls, clock) for _ in range(num_blocks)])
    medians = np.sort(np.median(blocks, axis=1)) * 1000
    lower, upper = _median_interval(num_blocks)
    return Latency(
        median_ms=float(np.median(medians)),
        low_ms=float(medians[lower]),
        high_ms=float(medians[upper]),
        p90_ms=float(np.quantile(blocks, 0.9) * 1000),
        threads=session.threads,
        batch_size=num_examples,
        num_calls=blocks.size,
    )


def _warm_up(session: Session, batch: Batch, clock: Callable[[], float]) -> float:
    session.run(batch)
    times = _times(session, batch, 3, clock)
    return float(np.median(times))


def _times(session: Session, batch: Batch, num_calls: int, clock: Callable[[], float]) -> list[float]:
    times = []
    for _ in range(num_calls):
        start = clock()
        session.run(batch)
        times.append(clock() - start)
    return times


def _median_interval(count: int) -> tuple[int, int]:
    # order statistics around the median: how many blocks are below it is binomial(count, 1/2)
    from scipy.stats import binom

    lower = max(int(binom.ppf(0.025, count, 0.5)) - 1, 0)
    return lower, count - 1 - lower
