"""Coral's partitioner: bisect the time of the slowest stage, and profile what a guess needs to know.

After libcoral's profiling-based partitioner (google-coral/libcoral, commit 6589d0b): for a target a stage
takes as many nodes as it can within it, the next stages follow, and a stage gives nodes back when those after
it fail. Unlike there, that a place cannot be served in time by the stages that are left is remembered within
a target, so that it is asked once; and the time that is surely too short is nothing, not that of the fastest
stage. So no node is a step too small, and the answer is exact to the threshold for any costs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from pomona.compile.pipeline.exact import least_slowest
from pomona.foundation.errors import SettingError

Cost = Callable[[int, int], float]
"""(place, place) → microseconds of the stage between them, infinite where it may not be."""


def bisected_cuts(
    cost: Cost,
    num_places: int,
    num_stages: int,
    *,
    start: tuple[int, ...],
    threshold_us: float,
    guess: Float[np.ndarray, "place place"] | None = None,
    slack: float = 0.15,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[int, ...]:
    """Cuts whose slowest stage is at most `threshold_us` slower than that of any others.

    `start` are cuts to begin with. With a `guess` of all costs, what it says is slower than the target by
    more than the share `slack` is not profiled; the answer is as exact while the guess is that good. Raises
    SettingError when `start` and all that was tried are infinite.
    """
    least = None if guess is None else least_slowest(guess, num_stages) / (1 + slack)
    best, upper, lower = start, _slowest(cost, start), 0.0
    while upper - lower > threshold_us and not should_stop():
        # without a bound from above the target grows until something fits
        target = (lower + upper) / 2 if upper != float("inf") else max(2 * lower, 2 * threshold_us)
        if target > MOST_US:
            break
        found = _Search(cost, num_places, target, guess, least, slack).cuts(num_stages)
        if found is None:
            lower = target
        else:
            best, upper = found, _slowest(cost, found)
    if upper == float("inf"):
        raise SettingError(f"no cut into {num_stages} stages keeps each within the memory: allow more memory")
    return best


MOST_US = 1e13


@dataclass
class _Search:
    """The search for cuts within one target."""

    cost: Cost
    num_places: int
    target: float
    guess: Float[np.ndarray, "place place"] | None
    least: Float[np.ndarray, "stage place"] | None
    slack: float
    failed: set[tuple[int, int]] = field(default_factory=set)

    def cuts(self, num_stages: int) -> tuple[int, ...] | None:
        """Cuts with every stage within the target, or None when there are none."""
        found = self._from(0, num_stages)
        return None if found is None else (0, *found)

    def _from(self, place: int, num_stages: int) -> tuple[int, ...] | None:
        last = self.num_places - 1
        if (place, num_stages) in self.failed:
            return None
        if self.least is not None and self.least[num_stages - 1, place] > self.target:
            return None
        if num_stages == 1:
            return (last,) if self._fits(place, last) else None
        for end in range(last - num_stages + 1, place, -1):
            if self._fits(place, end):
                rest = self._from(end, num_stages - 1)
                if rest is not None:
                    return (end, *rest)
        self.failed.add((place, num_stages))
        return None

    def _fits(self, start: int, end: int) -> bool:
        if self.guess is not None and self.guess[start, end] > self.target * (1 + self.slack):
            return False
        return self.cost(start, end) <= self.target


def _slowest(cost: Cost, cuts: tuple[int, ...]) -> float:
    return max(cost(start, end) for start, end in _pairs(cuts))


def _pairs(cuts: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(pairwise(cuts))
