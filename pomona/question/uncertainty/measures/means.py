"""Measures that are means over examples, with the bootstrap interval of a mean."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pomona.foundation.statistics import Interval, bootstrap_interval
from pomona.question.uncertainty.measures.measure import Measure

PerExample = Callable[[Any, np.ndarray], np.ndarray | None]
"""From what was said and the truth to a value an example (or a number of it); None where there is none."""


def mean_measure(
    name: str, per_example: PerExample, greater_is_better: bool | None, formula: str, *, unit: str = ""
) -> Measure:
    """The measure that is the mean of `per_example`, absent where that is or where it is not finite."""

    def value(said: Any, truth: np.ndarray) -> float | None:
        values = per_example(said, truth)
        return None if values is None else float(values.mean())

    def spread(said: Any, truth: np.ndarray, generator: np.random.Generator) -> Interval | None:
        values = per_example(said, truth)
        if values is None or len(values) < 2 or not np.isfinite(values).all():
            return None
        rows = values.reshape(len(values), -1).mean(axis=1)
        return bootstrap_interval(rows, generator=generator, method="percentile", num_resamples=1000)

    return Measure(name, value, greater_is_better, formula, unit, spread)
