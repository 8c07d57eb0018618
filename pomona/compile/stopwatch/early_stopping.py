"""How many queries are enough to claim a percentile, and what may be claimed of those that there are.

The test of MLPerf's LoadGen: of n queries t took too long; the claim that a share p of all queries is fast
enough is made when so few slow ones would turn up by luck with at most 1 % chance if it were not true, that
is P[Binomial(n, 1 - p) <= t] <= 1 - confidence.
"""

import numpy as np
from jaxtyping import Real

CONFIDENCE = 0.99


def queries_needed(num_over: int, percentile: float, *, confidence: float = CONFIDENCE) -> int:
    """The fewest queries of which `num_over` may take too long.

    >>> [queries_needed(over, 0.9) for over in (0, 1, 2, 10)]
    [44, 64, 81, 197]
    """
    from scipy.special import bdtr

    low, high = num_over, num_over + 1
    while bdtr(num_over, high, 1 - percentile) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if bdtr(num_over, middle, 1 - percentile) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def most_over(num_queries: int, percentile: float, *, confidence: float = CONFIDENCE) -> int | None:
    """How many of so many queries may take too long; None when there are too few to claim anything.

    >>> most_over(1689, 0.9), most_over(458, 0.99), most_over(459, 0.99)
    (140, None, 0)
    """
    if num_queries < queries_needed(0, percentile, confidence=confidence):
        return None
    low, high = 0, num_queries
    while high - low > 1:
        middle = (low + high) // 2
        if queries_needed(middle, percentile, confidence=confidence) <= num_queries:
            low = middle
        else:
            high = middle
    return low


def latency_bound(
    latencies: Real[np.ndarray, " query"], percentile: float, *, spare: int = 1
) -> float | None:
    """The latency under which the share `percentile` of all queries is claimed to be; None for too few.

    LoadGen's estimate for streams leaves out one query fewer than it may, `spare` = 1. With `spare` = 0 it is
    at most the server's bound exactly when the server's test is passed.
    """
    allowed = most_over(len(latencies), percentile)
    if allowed is None or allowed < spare:
        return None
    place = len(latencies) - 1 - (allowed - spare)
    return float(np.partition(latencies, place)[place])
