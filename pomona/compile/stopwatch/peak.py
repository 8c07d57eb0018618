"""The highest rate that a system bears."""

from collections.abc import Callable

MOST_PROBES = 30


def highest_rate(
    bears: Callable[[float], bool], start: float, *, tolerance: float = 0.02, lowest: float = 1e-3
) -> float | None:
    """A rate that the system bears, within `tolerance` of one that it does not; None if it bears none.

    `bears` is asked for one rate after another: twice or half of `start` until both answers were had, then
    the geometric middle.
    """
    low, high = None, None
    rate = start
    for _ in range(MOST_PROBES):
        if bears(rate):
            low = rate
        else:
            high = rate
        if low is None:
            rate /= 2
            if rate < lowest:
                return None
        elif high is None:
            rate *= 2
        elif high / low <= 1 + tolerance:
            return low
        else:
            rate = (low * high) ** 0.5
    return low
