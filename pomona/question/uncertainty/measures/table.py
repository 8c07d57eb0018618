"""All measures of what a method says, for classes and for values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pomona.foundation.randomness import stream
from pomona.foundation.statistics import Interval
from pomona.question.uncertainty.measures.calibration import CALIBRATION
from pomona.question.uncertainty.measures.disagreement import DISAGREEMENT
from pomona.question.uncertainty.measures.errors import ERRORS
from pomona.question.uncertainty.measures.gaussian import GAUSSIAN
from pomona.question.uncertainty.measures.intervals import INTERVALS
from pomona.question.uncertainty.measures.likelihood import LIKELIHOOD
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.measures.quantiles import QUANTILES
from pomona.question.uncertainty.measures.selective import SELECTIVE
from pomona.question.uncertainty.measures.sets import SETS
from pomona.question.uncertainty.said import Said, SaidValues

MEASURES: dict[str, dict[str, Measure]] = {
    "classify": {m.name: m for m in (*LIKELIHOOD, *CALIBRATION, *SELECTIVE, *SETS, *DISAGREEMENT)},
    "regress": {m.name: m for m in (*GAUSSIAN, *QUANTILES, *INTERVALS, *ERRORS)},
}
"""Kind of task → its measures by name, the first one is what methods are tuned and compared by."""


@dataclass(frozen=True)
class Measured:
    """How good what was said is. What has no meaning here is absent."""

    values: Mapping[str, float]
    intervals: Mapping[str, Interval]
    """The 95 % intervals over examples, of the measures that have one."""


def measure(said: Said | SaidValues, truth: np.ndarray, *, seed: int = 0) -> Measured:
    """All measures of what was said of examples whose truth is known; `seed` draws the resamples.

    >>> sorted(measure(said_of(np.eye(3)), np.arange(3)).values)[:2]  # doctest: +SKIP
    ['accuracy', 'accuracy_at_80']
    """
    kind = "classify" if isinstance(said, Said) else "regress"
    values, intervals = {}, {}
    for name, one in MEASURES[kind].items():
        value = one.value(said, truth)
        if value is None or not np.isfinite(value):
            continue
        values[name] = value
        if one.spread is not None:
            interval = one.spread(said, truth, stream(seed, "measure interval", name))
            if interval is not None:
                intervals[name] = interval
    return Measured(values, intervals)
