"""Tagging step by step: the usual tag of each token, and logistic regression on a few steps around."""

import numpy as np
from scipy import sparse

from pomona.fit.baselines.classifiers import logistic
from pomona.fit.baselines.constant import class_frequencies, num_classes_of
from pomona.fit.baselines.matrix import Matrix, num_rows
from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.metrics.measure import real_steps
from pomona.tasks.task import Task

RADIUS = 2
"""Steps to each side that the regression sees."""
MAX_STEPS = 50_000
"""Steps that the regression learns from."""


def has_aligned_tokens(task: Task) -> bool:
    """Tasks with an input of tokens as long as each target."""
    return all(_aligned(task, target, ("tokens",)) for target in task.targets)


def has_aligned_steps(task: Task) -> bool:
    """Tasks with an input of tokens or of a series as long as each target."""
    return all(_aligned(task, target, ("tokens", "series")) for target in task.targets)


def fit_step_majority(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """How often each token had each tag, with one more step that is spread as the tags are in all."""
    tokens, num_classes = _aligned(task, target, ("tokens",))[0], num_classes_of(task, target)
    real, weight = _real(task, target, train), train.get("weight", np.ones(len(train[target])))
    usual = class_frequencies(train[target], num_classes, weight, real)
    cells = train[tokens.name][real] * num_classes + train[target][real]
    num_tokens = tokens.num_tokens or int(train[tokens.name].max()) + 1
    each = np.broadcast_to(weight[:, None], real.shape)[real]
    counts = np.bincount(cells, each, num_tokens * num_classes).reshape(num_tokens, num_classes)
    said = ((counts + usual) / (counts.sum(axis=1, keepdims=True) + 1)).astype(np.float32)
    return lambda batch: said[batch[tokens.name]]


def fit_step_regression(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Logistic regression on the tokens and the values at a step and at the steps around it."""
    inputs, num_classes = _aligned(task, target, ("tokens", "series")), num_classes_of(task, target)
    real = _real(task, target, train)
    rows = np.flatnonzero(real.ravel())
    kept = np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_STEPS])
    truth = train[target].ravel()[kept]
    weight = np.repeat(train.get("weight", np.ones(len(real))), real.shape[1])[kept]
    present = np.unique(truth)
    fitted = None
    if len(present) > 1:
        fitted = logistic(_around(inputs, train)[kept], truth, weight, strength=1.0)

    def predict(batch: Batch) -> np.ndarray:
        around = _around(inputs, batch)
        said = np.full((num_rows(around), num_classes), 1e-6)
        said[:, present] += 1.0 if fitted is None else fitted(around)
        said /= said.sum(axis=1, keepdims=True)
        return said.astype(np.float32).reshape(-1, real.shape[1], num_classes)

    return predict


def _aligned(task: Task, target: str, kinds: tuple[str, ...]) -> list[Feature]:
    time = task.targets[target].shape[0]
    return [f for f in task.inputs.values() if f.kind in kinds and f.shape[0] == time]


def _real(task: Task, target: str, batch: Batch) -> np.ndarray:
    mask = real_steps(task, target, batch)
    return np.ones(batch[target].shape, bool) if mask is None else mask


def _around(inputs: list[Feature], batch: Batch) -> Matrix:
    """One row a step: an indicator for each token and the numbers of each series, at each offset."""
    parts = []
    for feature in inputs:
        values = batch[feature.name]
        for offset in range(-RADIUS, RADIUS + 1):
            moved = _moved(values, offset)
            parts.append(_indicators(moved, feature) if feature.kind == "tokens" else _rows(moved))
    return sparse.csr_matrix(sparse.hstack(parts))


def _moved(values: np.ndarray, offset: int) -> np.ndarray:
    """What is `offset` steps on from each step, 0 beyond the ends."""
    moved = np.zeros_like(values)
    time = values.shape[1]
    if abs(offset) < time:
        moved[:, max(0, -offset) : time - max(0, offset)] = values[:, max(0, offset) : time - max(0, -offset)]
    return moved


def _indicators(tokens: np.ndarray, feature: Feature) -> sparse.csr_matrix:
    ids = tokens.ravel()
    shape = (len(ids), feature.num_tokens or int(ids.max()) + 1)
    return sparse.csr_matrix((np.ones(len(ids), np.float32), (np.arange(len(ids)), ids)), shape)


def _rows(series: np.ndarray) -> sparse.csr_matrix:
    return sparse.csr_matrix(series.reshape(-1, series.shape[-1]))
