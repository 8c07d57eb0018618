"""How sure a metric is, given the examples it was measured on."""

import math

import numpy as np

from pomona.foundation.randomness import stream
from pomona.foundation.statistics import Interval, bootstrap_interval, wilson_interval
from pomona.tasks.metrics.metric import Metric, Rows


def interval(
    metric: Metric, rows: Rows, *, seed: int, level: float = 0.95, num_resamples: int = 1000
) -> Interval | None:
    """The percentile bootstrap interval over examples; None unless the metric has a meaning on all resamples.

    A share of right answers that all count the same has Wilson's interval: where none or all are right, a
    bootstrap would be certain. It covers the luck of the test examples, not that of training. Cost of a
    bootstrap: `num_resamples` times `metric.value`.
    """
    if len(rows) < 2 or metric.value(rows) is None:
        return None
    if metric.name == "accuracy" and _is_counted(rows):
        return wilson_interval(int(rows[:, 0].sum()), len(rows), level=level)
    is_defined = True

    def statistic(drawn: Rows) -> float:
        nonlocal is_defined
        value = metric.value(drawn)
        if value is None or not math.isfinite(value):
            is_defined = False
            return 0.0  # any number does: the interval is thrown away
        return value

    found = bootstrap_interval(
        rows,
        generator=stream(seed, "metric interval", metric.name),
        statistic=statistic,
        level=level,
        method="percentile",
        num_resamples=num_resamples,
    )
    return found if is_defined else None


def _is_counted(rows: Rows) -> bool:
    """Whether each row says of one answer that it is right, 1, or wrong, 0, and counts once."""
    return rows.shape[1] == 2 and bool((rows[:, 1] == 1).all() and np.isin(rows[:, 0], (0, 1)).all())
