"""What predictions are worth on a split: what reports and results say of a model is read from here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.fit.feeds import held_out
from pomona.foundation.statistics import Interval
from pomona.tasks.batch import Batch, join_batches
from pomona.tasks.metrics import METRICS
from pomona.tasks.metrics.interval import interval
from pomona.tasks.metrics.measure import metric_rows, metric_values
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task

BATCH_SIZE = 256

Predict = Callable[[Batch], Mapping[str, np.ndarray]]
"""From a prepared batch to predictions by target, as `Predictor.predict_batch` gives them."""


@dataclass(frozen=True)
class Assessment:
    """Predictions on a split beside the truth; inputs are left in their source."""

    task: Task
    source: FiniteSource
    predictions: dict[str, np.ndarray]
    truth: Batch
    """The batch of the whole split without its inputs."""
    rows: dict[str, np.ndarray]
    """One row of statistics an example of each metric."""
    values: dict[str, float]

    def interval(self, metric: str, *, seed: int = 0) -> Interval | None:
        """The 95 % bootstrap interval of a metric over examples, None where it has no meaning."""
        if metric not in self.rows:
            return None
        return interval(METRICS[metric.rpartition("/")[2]], self.rows[metric], seed=seed)

    def losses(self, target: str) -> Float[np.ndarray, " batch"]:
        """How wrong each example's prediction is: nats for probabilities, absolute error for values."""
        kind = self.task.kind
        metric = METRICS["nll"] if kind in METRICS["nll"].kinds else METRICS["mae"]
        rows = metric.rows(self.predictions[target], self.truth[target], None, None)
        return rows[:, 0] / np.maximum(rows[:, 1], 1e-12)


def assess(predict: Predict, task: Task, split: str, *, seed: int = 0) -> Assessment:
    """The predictions for every example of a split, measured; of an endless one for 1000 drawn by `seed`."""
    source = held_out(task.splits[split], name=split, seed=seed)
    predictions: dict[str, list[np.ndarray]] = {name: [] for name in task.targets}
    rows: dict[str, list[np.ndarray]] = {}
    truths: list[Batch] = []
    for batch in batches(source, BATCH_SIZE):
        said = predict(batch)
        for name in task.targets:
            predictions[name].append(np.asarray(said[name]))
        for metric, part in metric_rows(task, said, batch).items():
            rows.setdefault(metric, []).append(part)
        truths.append(
            {name: array for name, array in batch.items() if name.partition(".")[0] not in task.inputs}
        )
    joined = {metric: np.concatenate(parts) for metric, parts in rows.items()}
    whole = {name: np.concatenate(parts) for name, parts in predictions.items()}
    return Assessment(task, source, whole, join_batches(truths), joined, metric_values(task, joined))
