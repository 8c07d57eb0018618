"""How much wider models spread on a stress than on clean examples: a test, and an interval of the ratio.

The clean seed variance may be too small to be told from none, and then a quotient means nothing. So the
question is asked the other way round: is what is seen on the stress more than `times` the clean seed spread
and the luck of the stress's own examples would give? The logarithm of that quotient is near normal; its
error is the deviation over resamples of models and examples, its reference Student's t with one degree less
than models. The interval of the ratio holds every `times` that this test does not refuse (Fieller's way).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.question.stress.statistics.components import Components, components, weighted_components

LARGEST_RATIO = 1e4
SMALLEST_TOTAL = 0.01
"""A resampled variance is at least this share of the one that was seen: its logarithm must exist."""


@dataclass(frozen=True, eq=False)
class Spread:
    """The scores' variance on one split: as seen, and in resamples of models and examples."""

    seen: Components
    drawn: Components
    num_models: int
    scale: float
    """How far a score moves where it is: the slope of the score by its logit, or for errors their mean."""


@dataclass(frozen=True)
class Ratio:
    """A ratio of seed deviations, stress by clean."""

    value: float | None
    """None where the clean seed variance is not above 0."""
    low: float
    high: float | None
    """None where no ratio is too large."""


def spread(
    values: Float[np.ndarray, "member batch"],
    models: Float[np.ndarray, "resample member"],
    examples: Float[np.ndarray, "resample batch"],
    *,
    is_share: bool,
) -> Spread:
    """The spread of scores, shares of right answers or errors, with the resamples that weights describe."""
    seen = components(values)
    mean, size = float(seen.mean), values.size
    safe = (mean * size + 0.5) / (size + 1)
    scale = safe * (1 - safe) if is_share else mean
    return Spread(seen, weighted_components(values, models, examples), len(values), scale)


def p_value(clean: Spread, stress: Spread, times: float = 1.0) -> float:
    """How likely such a spread is where the seed spread on the stress is `times` the clean one; one-sided."""
    from scipy.special import stdtr

    return float(stdtr(clean.num_models - 1, -_statistic(clean, stress, times)))


def ratio(clean: Spread, stress: Spread, *, level: float = 0.95) -> Ratio:
    """The ratio of seed deviations with its interval."""
    from scipy.special import stdtrit

    bound = float(stdtrit(clean.num_models - 1, (1 + level) / 2))
    clean_seed, stress_seed = float(clean.seen.seed), max(float(stress.seen.seed), 0.0)
    value = math.sqrt(stress_seed / clean_seed) if clean_seed > 0 else None
    low = _crossing(clean, stress, bound)
    high = _crossing(clean, stress, -bound)
    return Ratio(value, low, None if high >= LARGEST_RATIO else high)


def _crossing(clean: Spread, stress: Spread, bound: float) -> float:
    """The number of times at which the statistic falls to `bound`: 0 or LARGEST_RATIO where it never does."""
    if _statistic(clean, stress, 0.0) <= bound:
        return 0.0
    if _statistic(clean, stress, LARGEST_RATIO) > bound:
        return LARGEST_RATIO
    low, high = 1e-3, LARGEST_RATIO
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _statistic(clean, stress, middle) > bound else (low, middle)
    return high


def _statistic(clean: Spread, stress: Spread, times: float) -> float:
    seen = _logarithm(clean.seen, stress.seen, times, float(stress.seen.total))
    drawn = _logarithm(clean.drawn, stress.drawn, times, float(stress.seen.total))
    error = float(np.std(drawn))
    if not error > 0:
        return 0.0
    return float(seen) / error


def _logarithm(clean: Components, stress: Components, times: float, total: float) -> np.ndarray:
    floor = max(SMALLEST_TOTAL * total, 1e-300)
    expected = times**2 * np.maximum(clean.seed, 0) + stress.noise
    return np.log(np.maximum(stress.total, floor)) - np.log(np.maximum(expected, floor))
