"""The prediction that looks at no input: how often each class occurs, or the mean."""

import numpy as np

from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.metrics.measure import real_steps
from pomona.tasks.task import Task


def fit_constant(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Frequencies of classes, smoothed by one example of each; for numbers their mean. Weights count."""
    truth, feature = train[target], task.targets[target]
    weight = train.get("weight", np.ones(len(truth))).astype(np.float64)
    if task.kind in ("regress", "forecast"):
        said = np.average(truth, axis=0, weights=weight)
    elif task.kind == "multilabel":
        said = (weight @ truth + 1) / (weight.sum() + 2)
    else:
        said = class_frequencies(truth, num_classes_of(task, target), weight, real_steps(task, target, train))
        if task.kind == "segment":
            said = np.broadcast_to(said[:, None, None], (len(said), *feature.shape))
        else:
            said = np.broadcast_to(said, (*feature.shape, len(said)))

    def predict(batch: Batch) -> np.ndarray:
        num_examples = len(next(iter(batch.values())))
        return np.broadcast_to(said.astype(np.float32), (num_examples, *said.shape))

    return predict


def class_frequencies(
    truth: np.ndarray, num_classes: int, weight: np.ndarray, mask: np.ndarray | None
) -> np.ndarray:
    """The share of each class among real units, with one more unit of each."""
    each = np.broadcast_to(weight.reshape(-1, *[1] * (truth.ndim - 1)), truth.shape)
    counts = np.bincount(truth.ravel(), (each if mask is None else each * mask).ravel(), num_classes)
    return (counts + 1) / (counts.sum() + num_classes)


def num_classes_of(task: Task, target: str) -> int:
    """How many classes a target has; tokens are the classes of language."""
    feature = task.targets[target]
    return feature.num_tokens or len(feature.classes)
