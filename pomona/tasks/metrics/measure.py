"""The metrics of a task on predictions, at once or batch by batch."""

from collections.abc import Iterator, Mapping

import numpy as np

from pomona.foundation.errors import DataError, SettingError, unknown_name
from pomona.tasks.feature import mask_key
from pomona.tasks.metrics.metric import Metric, Rows
from pomona.tasks.metrics.table import METRICS
from pomona.tasks.past import past_of
from pomona.tasks.task import Task


def measure(
    task: Task, predictions: Mapping[str, np.ndarray], batch: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """The task's metrics, in its order; of several targets each as `target/metric`.

    `predictions` are probabilities and values in the target's unit (see `outputs.prediction`), one array a
    target. Weights and masks of the batch count. A metric without meaning on these examples is left out.
    Raises DataError for predictions that are not finite.
    """
    return metric_values(task, metric_rows(task, predictions, batch))


def metric_rows(
    task: Task, predictions: Mapping[str, np.ndarray], batch: Mapping[str, np.ndarray]
) -> dict[str, Rows]:
    """One row an example of each of the task's metrics.

    Rows of batches, joined by `np.concatenate`, are those of all, so a large split needs no memory.
    """
    rows = {}
    for target, metric, name in _measured(task):
        if target not in predictions or target not in batch:
            raise DataError(
                f"target {target!r} needs a prediction and a truth; there are predictions of "
                f"{sorted(predictions)}, and the batch has {sorted(batch)}"
            )
        if not np.isfinite(predictions[target]).all():
            raise DataError(
                f"predictions of {target!r} hold NaN or infinite values: the network diverged or overflows; "
                "lower the learning rate or clip gradients"
            )
        needs = _needs(task, target, metric, batch)
        if needs is not None:
            mask = real_steps(task, target, batch)
            rows[name] = metric.rows(predictions[target], batch[target], batch.get("weight"), mask, **needs)
    return rows


def metric_values(task: Task, rows: Mapping[str, Rows]) -> dict[str, float]:
    """The value of each metric that `metric_rows` made rows of, without those that have no meaning."""
    values = {name: metric.value(rows[name]) for _, metric, name in _measured(task) if name in rows}
    return {name: value for name, value in values.items() if value is not None}


def primary_metric(task: Task) -> Metric:
    """The metric that is optimised, the first of the task."""
    return _metric(task, task.metrics[0])


def primary_value(task: Task, values: Mapping[str, float]) -> float | None:
    """The number that is optimised: the mean over targets of the first metric; None if one lacks it.

    Of several targets, errors in their units count by each target's scale: metres and seconds have no mean.
    """
    metric, found = primary_metric(task), []
    for target, feature in task.targets.items():
        value = values.get(_name(task, target, metric.name))
        if value is None:
            return None
        is_scaled = metric.unit == "target" and len(task.targets) > 1
        found.append(value / feature.scale if is_scaled else value)
    return sum(found) / len(found)


def real_steps(task: Task, target: str, batch: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Which steps of a target count; None where all of them do."""
    mask = batch.get(mask_key(target))
    if task.kind != "language":
        return mask
    # token 0 is padding, so it is never asked for
    real = batch[target] != 0
    return real if mask is None else real & mask


def _measured(task: Task) -> Iterator[tuple[str, Metric, str]]:
    for target in task.targets:
        for name in task.metrics:
            yield target, _metric(task, name), _name(task, target, name)


def _name(task: Task, target: str, metric: str) -> str:
    return metric if len(task.targets) == 1 else f"{target}/{metric}"


def _metric(task: Task, name: str) -> Metric:
    fitting = [known for known, metric in METRICS.items() if task.kind in metric.kinds]
    if name not in METRICS:
        raise unknown_name(f"metric for {task.kind}", name, fitting)
    if name not in fitting:
        raise SettingError(f"metric {name!r} is not for {task.kind}; choose of {', '.join(fitting)}")
    return METRICS[name]


def _needs(
    task: Task, target: str, metric: Metric, batch: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray] | None:
    """The further arguments of a metric's rows; None when the batch does not have them."""
    if "past" not in metric.needs:
        return {}
    past = past_of(task, target, batch)
    return None if past is None else {"past": past[0], "past_mask": past[1]}
