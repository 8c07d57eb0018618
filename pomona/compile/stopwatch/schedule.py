"""When queries come and which samples they hold: all of it follows from the seed."""

import numpy as np
from jaxtyping import Int

from pomona.foundation.randomness import stream

NS = 1_000_000_000


def poisson_arrivals(
    rate: float, duration_s: float, min_queries: int, *, seed: int, part: object = 0
) -> Int[np.ndarray, " query"]:
    """Nanoseconds from the start at which queries come, `rate` a second on average.

    They last at least `duration_s` and are at least `min_queries`. The gaps of another rate are the same ones
    in another unit, so that a higher rate is harder for a system, never easier by luck.
    """
    generator = stream(seed, "arrivals", part)
    wanted = duration_s * rate
    gaps = np.zeros(0)
    # how many are drawn at once does not change what they are
    while len(gaps) < min_queries or gaps.sum() <= wanted:
        count = max(min_queries, int(wanted + 6 * wanted**0.5)) + 64
        gaps = np.concatenate([gaps, generator.standard_exponential(count)])
    moments = np.cumsum(gaps)
    num_queries = max(min_queries, int(np.searchsorted(moments, wanted)) + 1)
    return (moments[:num_queries] / rate * NS).astype(np.int64)


class SampleOrder:
    """Which samples each query holds: each drawn from all that are loaded, with replacement."""

    def __init__(self, num_loaded: int, *, seed: int, part: object = 0, drawn_at_once: int = 65_536):
        self._generator = stream(seed, "samples", part)
        self._num_loaded = num_loaded
        self._at_once = drawn_at_once
        self._drawn = np.zeros(0, np.int64)
        self._place = 0

    def next(self, count: int) -> Int[np.ndarray, " sample"]:
        """The positions of the next `count` samples."""
        if self._place + count > len(self._drawn):
            fresh = self._generator.integers(0, self._num_loaded, max(self._at_once, count))
            self._drawn = np.concatenate([self._drawn[self._place :], fresh])
            self._place = 0
        self._place += count
        return self._drawn[self._place - count : self._place]
