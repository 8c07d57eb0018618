"""Weights of an ensemble that are learned: at least 0, adding up to 1, under which the mean is closest to the
truth.

For probabilities that is the likelihood of the truth under the mixture, for values the squared error of the
mean; both are convex in the weights. A pull towards equal weights, as strong as cross-validation finds best,
keeps many models and few examples from fooling it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.temperature import TEMPERED_KINDS
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.metrics.measure import real_steps
from pomona.tasks.metrics.metric import class_units, is_multilabel, real_values
from pomona.tasks.task import Task

Weights = Float[np.ndarray, " member"]

PULLS = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)
"""Strengths of the pull to choose from: times the squared distance from equal weights, in nats."""

NUM_FOLDS = 5
MOST_ROWS = 200_000
SMALLEST_PROBABILITY = 1e-9


@dataclass(frozen=True)
class Evidence:
    """What every model says of every element of the truth, an element a row.

    Of probabilities it is the one that a model gives to the truth, of values the model's error. `counts` adds
    up to 1 over the rows of a head; `example` is the example that a row belongs to.
    """

    rows: Float[np.ndarray, "element member"]
    counts: Float[np.ndarray, " element"]
    example: Int[np.ndarray, " element"]
    is_probability: bool

    def cost(self, weights: Weights) -> tuple[float, Weights]:
        """Nats, or half the squared error, of the mean under `weights`, and the slope of that."""
        mean = self.rows @ weights
        if self.is_probability:
            mean = np.maximum(mean, SMALLEST_PROBABILITY)
            return -float(self.counts @ np.log(mean)), -self.rows.T @ (self.counts / mean)
        return 0.5 * float(self.counts @ mean**2), self.rows.T @ (self.counts * mean)

    def only(self, examples: Int[np.ndarray, " some"]) -> "Evidence":
        """The rows of some examples."""
        kept = np.isin(self.example, examples)
        return Evidence(self.rows[kept], self.counts[kept], self.example[kept], self.is_probability)


def learned_weights(task: Task, predictions: Sequence[dict[str, np.ndarray]], truth: Batch) -> Weights:
    """The weight of each model; equal ones where examples are too few to tell.

    Costs a minimisation with as many unknowns as models for each pull and fold. Of more than
    MOST_ROWS elements of a head that many are drawn.
    """
    evidence = evidence_of(task, predictions, truth)
    parts = folds(truth)
    num_models = evidence.rows.shape[1]
    if len(parts) < 2 or num_models == 1:
        return np.full(num_models, 1 / num_models)
    costs = {pull: _held_out_cost(evidence, parts, pull) for pull in PULLS}
    # of pulls that do as well the strongest: dicts keep their order
    best = min(reversed(PULLS), key=lambda pull: costs[pull])
    return closest_weights(evidence, best)


def closest_weights(evidence: Evidence, pull: float) -> Weights:
    """The weights of the least cost, with `pull` times their squared distance from equal ones added."""
    from scipy.optimize import minimize

    num_models = evidence.rows.shape[1]
    equal = np.full(num_models, 1 / num_models)

    def cost(weights: Weights) -> tuple[float, Weights]:
        value, slope = evidence.cost(weights)
        apart = weights - equal
        return value + pull * float(apart @ apart), slope + 2 * pull * apart

    sums_to_one = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones_like(w)}
    found = minimize(
        cost, equal, jac=True, method="SLSQP", bounds=[(0, 1)] * num_models, constraints=[sums_to_one],
        options={"maxiter": 200, "ftol": 1e-9},
    ).x  # fmt: skip
    weights = np.clip(found, 0, 1)
    return weights / weights.sum()


def folds(truth: Batch) -> list[Int[np.ndarray, " some"]]:
    """The examples in up to NUM_FOLDS parts of about equal size; those of one group stay together."""
    size = len(next(iter(truth.values())))
    groups, group = np.unique(truth.get("group", np.arange(size)), return_inverse=True)
    part = stream(0, "folds", len(groups)).permutation(len(groups)) % NUM_FOLDS
    return [np.flatnonzero(part[group] == index) for index in range(min(NUM_FOLDS, len(groups)))]


def evidence_of(task: Task, predictions: Sequence[dict[str, np.ndarray]], truth: Batch) -> Evidence:
    """What the models say of the truth of all heads together."""
    columns, counts, examples = [], [], []
    size = len(next(iter(truth.values())))
    weight = np.asarray(truth.get("weight", np.ones(size)), np.float64)
    for head, feature in task.targets.items():
        found = [_of_head(task, head, one[head], truth) for one in predictions]
        real = found[0][1]
        count = (real * weight[:, None]).ravel()
        kept = np.flatnonzero(count)
        if len(kept) > MOST_ROWS:
            kept = np.sort(stream(0, "elements", head).permutation(kept)[:MOST_ROWS])
        scale = 1.0 if task.kind in TEMPERED_KINDS else feature.scale
        columns.append(np.stack([said.ravel()[kept] for said, _ in found], axis=1) / scale)
        counts.append(count[kept] / max(count[kept].sum(), 1e-12))
        examples.append(kept // real.shape[1])
    return Evidence(
        np.concatenate(columns).astype(np.float64),
        np.concatenate(counts),
        np.concatenate(examples),
        task.kind in TEMPERED_KINDS,
    )


def _of_head(task: Task, head: str, said: np.ndarray, truth: Batch) -> tuple[np.ndarray, np.ndarray]:
    """A model's probability of the truth, or its error, and which of them count; an example a row."""
    target, mask = truth[head], real_steps(task, head, truth)
    if task.kind not in TEMPERED_KINDS:
        return (said - target).reshape(len(target), -1), real_values(target, mask)
    if is_multilabel(said, target):
        return np.where(target >= 0.5, said, 1 - said), np.ones(target.shape, bool)
    probabilities, labels, real = class_units(said, target, mask)
    return np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0], real


def _held_out_cost(evidence: Evidence, parts: list[Int[np.ndarray, " some"]], pull: float) -> float:
    """What the weights that are learned without a part cost on that part, over all parts."""
    total = 0.0
    for part in parts:
        rest = np.setdiff1d(evidence.example, part)
        total += evidence.only(part).cost(closest_weights(evidence.only(rest), pull))[0]
    return total
