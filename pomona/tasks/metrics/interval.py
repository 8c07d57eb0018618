"""How sure a metric is, given the examples it was measured on."""

import math

from pomona.foundation.randomness import stream
from pomona.foundation.statistics import Interval, bootstrap_interval
from pomona.tasks.metrics.metric import Metric, Rows


def interval(
    metric: Metric, rows: Rows, *, seed: int, level: float = 0.95, num_resamples: int = 1000
) -> Interval | None:
    """The percentile bootstrap interval over examples; None unless the metric has a meaning on all resamples.

    It covers the luck of the test examples, not that of training. Cost: `num_resamples` times `metric.value`.
    """
    if len(rows) < 2 or metric.value(rows) is None:
        return None
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
