"""Ways to make one prediction of those of many models, chosen on held-out examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from pomona.find.search.ensemble import (
    Ensemble,
    Predictions,
    Score,
    comparable,
    select_ensemble,
    weighted_mean,
)
from pomona.find.search.stacking import folds, learned_weights
from pomona.foundation.errors import unknown_name
from pomona.tasks.batch import Batch, batch_size, take
from pomona.tasks.task import Task

SMALLEST_WEIGHT = 0.005


@dataclass(frozen=True)
class Held:
    """What the models of a library predict for held-out examples, beside the truth.

    `score` says what predictions are worth on a batch, the higher the better.
    """

    task: Task
    predictions: Sequence[Predictions]
    truth: Batch
    score: Callable[[Predictions, Batch], Score]

    def scored(self, predictions: Predictions) -> Score:
        """What predictions for all examples are worth."""
        return self.score(predictions, self.truth)

    def only(self, ids: Int[np.ndarray, " some"]) -> "Held":
        """The same for some of the examples."""
        predictions = [take(one, ids) for one in self.predictions]
        return Held(self.task, predictions, take(self.truth, ids), self.score)


def combine(held: Held, how: str, *, most: int) -> tuple[str, Ensemble]:
    """An ensemble of at most `most` picks or models, made as `how` says, and the name of the way it was made.

    "auto" is the way that does best when each part of the examples is predicted by what was chosen on the
    others: the first in COMBINATIONS of equals. Models with predictions that are not finite are left out.
    """
    if how not in (*COMBINATIONS, "auto"):
        raise unknown_name("combination", how, (*COMBINATIONS, "auto"))
    sound = [position for position, one in enumerate(held.predictions) if _is_finite(one)]
    assert sound, "a library needs a model with finite predictions"
    held = Held(held.task, [held.predictions[position] for position in sound], held.truth, held.score)
    if how == "auto":
        found = {name: cross_validated(held, name, most=most) for name in COMBINATIONS}
        how = max(COMBINATIONS, key=lambda name: comparable(found[name]))
    chosen = COMBINATIONS[how](held, most)
    members = tuple(sound[member] for member in chosen.members)
    return how, Ensemble(members, chosen.weights, chosen.score)


def cross_validated(held: Held, how: str, *, most: int) -> Score:
    """What a way of combining is worth on examples that it has not seen, over all parts together."""
    parts = folds(held.truth)
    if len(parts) < 2:
        return (float("nan"),)
    order, said = np.concatenate(parts), []
    for part in parts:
        rest = np.setdiff1d(np.arange(batch_size(held.truth)), part)
        chosen = COMBINATIONS[how](held.only(rest), most)
        said.append(_mean(held.only(part), chosen.members, chosen.weights))
    whole = {head: np.concatenate([one[head] for one in said]) for head in said[0]}
    return held.score(whole, take(held.truth, order))


def greedy(held: Held, most: int) -> Ensemble:
    """Models picked one by one, with replacement, each the one with which the mean does best."""
    return select_ensemble(held.predictions, held.scored, num_picks=most)


def average(held: Held, most: int) -> Ensemble:
    """The plain mean of the best models, of as many as do best together."""
    scores = [comparable(held.scored(one)) for one in held.predictions]
    ranked = sorted(range(len(scores)), key=lambda position: scores[position], reverse=True)
    best: Ensemble | None = None
    for count in range(1, min(most, len(ranked)) + 1):
        members, weights = tuple(ranked[:count]), (1 / count,) * count
        score = held.scored(_mean(held, members, weights))
        if best is None or comparable(score) > comparable(best.score):
            best = Ensemble(members, weights, score)
    assert best is not None, "an ensemble needs a model"
    return best


def learned(held: Held, most: int) -> Ensemble:
    """The mean under weights that are learned; see `stacking`. Models that hardly count are left out."""
    weights = learned_weights(held.task, held.predictions, held.truth)
    kept = np.argsort(-weights, kind="stable")[:most]
    if len(kept) < len(weights):
        weights = learned_weights(held.task, [held.predictions[position] for position in kept], held.truth)
    else:
        weights = weights[kept]
    counting = weights >= SMALLEST_WEIGHT
    members, weights = kept[counting], weights[counting] / weights[counting].sum()
    chosen = tuple(int(member) for member in members), tuple(float(weight) for weight in weights)
    return Ensemble(*chosen, held.scored(_mean(held, *chosen)))


COMBINATIONS: dict[str, Callable[[Held, int], Ensemble]] = {
    "greedy": greedy,
    "average": average,
    "learned": learned,
}
"""Name → from held-out predictions and the most models, or picks, to the ensemble."""


def _mean(held: Held, members: Sequence[int], weights: Sequence[float]) -> Predictions:
    return weighted_mean([held.predictions[member] for member in members], weights)


def _is_finite(predictions: Predictions) -> bool:
    return all(bool(np.isfinite(array).all()) for array in predictions.values())
