"""The best cuts for costs that are all known: dynamic programming over where stages end."""

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import SettingError

SLACK = 1e-9
"""By what share two times of the slowest stage may differ and count as the same."""


def exact_cuts(
    cost: Float[np.ndarray, "place place"], num_stages: int, *, lesser: Float[np.ndarray, "place place"]
) -> tuple[int, ...]:
    """The places where stages begin and end, first and last included, with the least slowest stage.

    `cost[i, j]` is what a stage from place i to place j takes, infinite where it may not be. Among the best
    those with the least sum of `lesser` are taken. Time is stages · places². Raises SettingError when every
    choice has an infinite stage.
    """
    num_places = len(cost)
    if num_stages >= num_places:
        raise SettingError(f"{num_stages} stages are wanted, the model can be cut into {num_places - 1}")
    slowest, _ = _solved(cost, num_stages, np.maximum)
    if not np.isfinite(slowest):
        raise SettingError(
            f"no cut into {num_stages} stages keeps each within the memory: allow more memory or more stages"
        )
    allowed = np.where(cost <= slowest * (1 + SLACK), lesser, np.inf)
    return _solved(allowed, num_stages, np.add)[1]


def least_slowest(
    cost: Float[np.ndarray, "place place"], num_stages: int
) -> Float[np.ndarray, "stage place"]:
    """The slowest stage of the best cuts from each place to the end, into 1 … num_stages stages."""
    forward = np.where(np.triu(np.ones_like(cost, bool), 1), cost, np.inf)
    rows = [forward[:, -1]]
    for _ in range(num_stages - 1):
        rows.append(np.maximum(forward, rows[-1][None, :]).min(axis=1))
    return np.stack(rows)


def _solved(
    cost: Float[np.ndarray, "place place"], num_stages: int, join: np.ufunc
) -> tuple[float, tuple[int, ...]]:
    """The least total of costs joined by `join` over all ways to the last place, and that way."""
    num_places = len(cost)
    forward = np.where(np.triu(np.ones_like(cost, bool), 1), cost, np.inf)
    best = np.full(num_places, np.inf)
    best[0] = 0.0
    came_from = np.zeros((num_stages, num_places), np.int64)
    for stage in range(num_stages):
        total = join(best[:, None], forward)
        came_from[stage] = total.argmin(axis=0)
        best = total[came_from[stage], np.arange(num_places)]
    cuts = [num_places - 1]
    for stage in reversed(range(num_stages)):
        cuts.append(int(came_from[stage, cuts[-1]]))
    return float(best[-1]), tuple(reversed(cuts))
