"""Are values below a foretold quantile as often as it says, and how sharp are the quantiles?"""

from collections.abc import Mapping

import numpy as np

from pomona.question.uncertainty.measures.errors import Values
from pomona.question.uncertainty.measures.means import mean_measure
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import QUANTILE_LEVELS, SaidValues

SAME = 1e-9
"""Levels this near to each other are one."""

LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))


def quantile(said: SaidValues, level: float) -> Values | None:
    """The value that the truth is below with this chance: as said, else that of the normal distribution.

    Between two levels that are said it is on the line between their values; None beyond the outermost.
    """
    from scipy.special import ndtri

    if said.quantiles is not None:
        return _between(said.quantiles, level)
    return None if said.deviation is None else said.mean + float(ndtri(level)) * said.deviation


def pinball(said: SaidValues, truth: Values) -> Values | None:
    """The mean over QUANTILE_LEVELS of the quantile loss."""
    losses = []
    for level in QUANTILE_LEVELS:
        value = quantile(said, level)
        if value is None:
            return None
        losses.append(np.maximum(level * (truth - value), (level - 1) * (truth - value)))
    return np.mean(losses, axis=0)


def transform_error(said: SaidValues, truth: Values) -> float | None:
    """Mean over levels of |share of truths below that quantile - level|: 0 where all levels are met.

    The levels are 0.05, 0.1, … 0.95, or the method's own (after Kuleshov et al. 2018, who square distances).
    """
    distances = []
    for level in LEVELS if said.quantiles is None else said.quantiles:
        value = quantile(said, level)
        if value is None:
            return None
        distances.append(abs(float((truth <= value).mean()) - level))
    return float(np.mean(distances))


def _between(quantiles: Mapping[float, Values], level: float) -> Values | None:
    below = max((one for one in quantiles if one <= level + SAME), default=None)
    above = min((one for one in quantiles if one >= level - SAME), default=None)
    if below is None or above is None:
        return None
    if below >= above - SAME:
        return quantiles[below]
    share = (level - below) / (above - below)
    return (1 - share) * quantiles[below] + share * quantiles[above]


QUANTILES = (
    mean_measure(
        "pinball",
        pinball,
        False,
        "mean quantile loss over the levels 0.05, 0.25, 0.5, 0.75 and 0.95",
        unit="target",
    ),
    Measure(
        "quantile_error",
        transform_error,
        False,
        "mean over levels of the distance of the share of truths below a quantile from its level",
    ),
)
