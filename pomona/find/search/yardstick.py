"""How models are compared: the task's first metric, and where that is equal, the likelihood of the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pomona.tasks.metrics.measure import primary_metric, primary_value
from pomona.tasks.task import Task

LIKELIHOOD = "nll"


@dataclass(frozen=True)
class Yardstick:
    """The metric's name and direction, and the number of validation examples that it is measured on."""

    metric: str
    greater_is_better: bool
    num_examples: int

    def score(self, values: Mapping[str, float]) -> float:
        """One number, the higher the better: the metric with its sign, less a part for the likelihood that is
        smaller than half an example, so that it decides between equals. NaN where the metric has no meaning.
        """
        value = values.get(self.metric, float("nan"))
        nats = values.get(LIKELIHOOD)
        part = 0.0 if nats is None else 0.5 / self.num_examples * nats / (1.0 + nats)
        return (value if self.greater_is_better else -value) - part

    def is_better(self, value: float, other: float) -> bool:
        """Whether one value of the metric is better than another."""
        return value > other if self.greater_is_better else value < other


def yardstick_of(task: Task) -> Yardstick:
    """The yardstick of a task."""
    metric = primary_metric(task)
    return Yardstick(metric.name, metric.greater_is_better, task.splits["valid"].size or 1000)


def comparable_values(task: Task, values: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a task, with the means over targets of the first one and of the likelihood added."""
    joined = dict(values)
    primary = primary_value(task, values)
    if primary is not None:
        joined[task.metrics[0]] = primary
    nats = [values[name] for name in values if name.rpartition("/")[2] == LIKELIHOOD]
    if nats:
        joined[LIKELIHOOD] = sum(nats) / len(nats)
    return joined


def mean_values(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric that all of several measurements have."""
    common = [name for name in measured[0] if all(name in values for values in measured)]
    return {name: sum(values[name] for values in measured) / len(measured) for name in common}
