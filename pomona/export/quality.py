"""How good answers are beside those of the model that they stand for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.metrics.measure import metric_rows, metric_values, primary_metric, primary_value
from pomona.tasks.task import Task


@dataclass(frozen=True)
class Quality:
    """The first metric of a task, beside that of a reference."""

    metric: str
    value: float
    reference: float | None
    """None where there is nothing to compare with."""
    share: float | None
    """1 where the two are equal, 0.99 where a hundredth of the reference's quality is lost."""
    target: float
    met: bool | None
    examples: int


def quality_of(pairs: Iterable[tuple[Mapping[str, np.ndarray], Batch]], task: Task) -> float:
    """The task's first metric of predictions by target, each with the truth of as many examples.

    A single output of another name is taken for the only target. Raises DataError for other shapes, and where
    the metric has no meaning.
    """
    rows: dict[str, list[np.ndarray]] = {}
    for outputs, truth in pairs:
        for name, part in metric_rows(task, _by_target(outputs, truth, task), truth).items():
            rows.setdefault(name, []).append(part)
    values = metric_values(task, {name: np.concatenate(parts) for name, parts in rows.items()})
    value = primary_value(task, values)
    if value is None:
        raise DataError(f"{task.metrics[0]} has no meaning on the test examples of {task.name}")
    return value


def compared(value: float, reference: float | None, task: Task, *, target: float, examples: int) -> Quality:
    """The value beside the reference: met when at most 1 - target of the reference's quality is lost."""
    metric = primary_metric(task)
    if reference is None:
        return Quality(metric.name, value, None, None, target, None, examples)
    lost = reference - value if metric.greater_is_better else value - reference
    share = 1 - lost / abs(reference) if reference else (1.0 if lost <= 0 else 0.0)
    return Quality(metric.name, value, reference, share, target, share >= target, examples)


def _by_target(outputs: Mapping[str, np.ndarray], truth: Batch, task: Task) -> dict[str, np.ndarray]:
    found = dict(outputs)
    if not set(task.targets) <= set(found) and len(task.targets) == len(found) == 1:
        found = {next(iter(task.targets)): next(iter(found.values()))}
    size = len(next(iter(truth.values())))
    for name, output in found.items():
        if name in task.targets and (output.ndim == 0 or len(output) != size):
            raise DataError(f"the answer for {name!r} has shape {output.shape}, {size} rows are wanted")
    return found
