"""Do 90 % intervals hold the truth nine times in ten, and how wide are they?"""

import numpy as np

from pomona.question.uncertainty.measures.errors import Values
from pomona.question.uncertainty.measures.means import mean_measure
from pomona.question.uncertainty.measures.quantiles import quantile
from pomona.question.uncertainty.said import COVERAGE, SaidValues


def interval_of(said: SaidValues) -> tuple[Values, Values] | None:
    """The 90 % interval: as said, else between the quantiles at 5 % and 95 %."""
    if said.interval is not None:
        return said.interval
    low, high = quantile(said, 0.05), quantile(said, 0.95)
    return None if low is None or high is None else (low, high)


def covered(said: SaidValues, truth: Values) -> Values | None:
    """1 where the truth is in its interval."""
    ends = interval_of(said)
    return None if ends is None else ((ends[0] <= truth) & (truth <= ends[1])).astype(np.float64)


def widths(said: SaidValues, truth: Values) -> Values | None:
    """The widths of the intervals."""
    ends = interval_of(said)
    return None if ends is None else ends[1] - ends[0]


def interval_scores(said: SaidValues, truth: Values) -> Values | None:
    """Width plus 20 times the distance of a truth outside (Gneiting and Raftery 2007, section 6.2)."""
    ends = interval_of(said)
    if ends is None:
        return None
    miss = np.maximum(ends[0] - truth, 0) + np.maximum(truth - ends[1], 0)
    return ends[1] - ends[0] + 2 / (1 - COVERAGE) * miss


INTERVALS = (
    mean_measure("coverage", covered, None, "share of truths in their 90 % interval"),
    mean_measure("width", widths, False, "mean width of the 90 % intervals", unit="target"),
    mean_measure(
        "interval_score",
        interval_scores,
        False,
        "mean of the width plus 20 times the distance of a truth outside, which only true quantiles minimise",
        unit="target",
    ),
)
