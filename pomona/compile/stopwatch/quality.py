"""How good a system's answers are beside those of the model that it stands for: the accuracy run."""

from dataclasses import dataclass

import numpy as np

from pomona.compile.stopwatch.library import Library
from pomona.compile.stopwatch.systems.system import Connection
from pomona.export.sessions.session import Session
from pomona.foundation.errors import DataError
from pomona.tasks.batch import take
from pomona.tasks.metrics.measure import metric_rows, metric_values, primary_metric, primary_value
from pomona.tasks.task import Task

AT_ONCE = 256


@dataclass(frozen=True)
class Quality:
    """A system's first metric beside the reference's."""

    metric: str
    value: float
    reference: float | None
    """None where there is nothing to compare with."""
    share: float | None
    """1 where the two are equal, 0.99 where a hundredth of the reference's quality is lost."""
    target: float
    met: bool | None
    examples: int


def quality_of(connection: Connection, library: Library, task: Task, *, samples_per_query: int) -> float:
    """The task's first metric of a system, asked in queries of the same size as under load."""
    rows: dict[str, list[np.ndarray]] = {}
    for start in range(0, library.size, samples_per_query):
        samples = np.arange(start, min(start + samples_per_query, library.size))
        outputs = dict(connection.outputs(connection.answer(samples)))
        _add(rows, task, outputs, take(library.truth, samples))
    return _value(rows, task)


def reference_quality(session: Session, library: Library, task: Task) -> float:
    """The task's first metric of a model in this process."""
    rows: dict[str, list[np.ndarray]] = {}
    for start in range(0, library.size, AT_ONCE):
        samples = np.arange(start, min(start + AT_ONCE, library.size))
        _add(rows, task, dict(session.run(library.batch(samples))), take(library.truth, samples))
    return _value(rows, task)


def compared(value: float, reference: float | None, task: Task, *, target: float, examples: int) -> Quality:
    """The value beside the reference: met when at most 1 - target of the reference's quality is lost."""
    metric = primary_metric(task)
    if reference is None:
        return Quality(metric.name, value, None, None, target, None, examples)
    lost = reference - value if metric.greater_is_better else value - reference
    share = 1 - lost / abs(reference) if reference else (1.0 if lost <= 0 else 0.0)
    return Quality(metric.name, value, reference, share, target, share >= target, examples)


def _add(
    rows: dict[str, list[np.ndarray]],
    task: Task,
    outputs: dict[str, np.ndarray],
    truth: dict[str, np.ndarray],
) -> None:
    if not set(task.targets) <= set(outputs) and len(task.targets) == len(outputs) == 1:
        outputs = {next(iter(task.targets)): next(iter(outputs.values()))}
    size = len(next(iter(truth.values())))
    for name, output in outputs.items():
        if name in task.targets and (output.ndim == 0 or len(output) != size):
            raise DataError(f"the answer for {name!r} has shape {output.shape}, {size} rows are wanted")
    for name, part in metric_rows(task, outputs, truth).items():
        rows.setdefault(name, []).append(part)


def _value(rows: dict[str, list[np.ndarray]], task: Task) -> float:
    values = metric_values(task, {name: np.concatenate(parts) for name, parts in rows.items()})
    value = primary_value(task, values)
    if value is None:
        raise DataError(f"{task.metrics[0]} has no meaning on the test examples of {task.name}")
    return value
