"""Greedy ensemble selection with replacement.

Caruana et al. 2004, Ensemble Selection from Libraries of Models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Predictions = dict[str, np.ndarray]
"""What one model predicts for every example, by head."""

Score = tuple[float, ...]
"""The higher, the better; later entries count where earlier ones are equal."""


@dataclass(frozen=True)
class Ensemble:
    """Positions of the chosen models, first choice first, their weights, which add up to 1, and the score."""

    members: tuple[int, ...]
    weights: tuple[float, ...]
    score: Score


def select_ensemble(
    library: Sequence[Predictions], score: Callable[[Predictions], Score], *, num_picks: int
) -> Ensemble:
    """The weighted mean of models of `library` that scores best, built one pick at a time.

    Every pick adds the model, perhaps again, with which the mean scores best, or the best that is left: it
    goes on through picks that do not help, and the best of all means on the way is kept, the smallest of
    equal ones. It never scores below the best single model. Time grows with picks × models.
    """
    total: Predictions = {}
    picks: list[int] = []
    best: Ensemble | None = None
    for _ in range(num_picks):
        candidates = [_added(total, predictions) for predictions in library]
        scores = [score(_mean(candidate, len(picks) + 1)) for candidate in candidates]
        chosen = max(range(len(library)), key=lambda position: comparable(scores[position]))
        total, picks = candidates[chosen], [*picks, chosen]
        if best is None or comparable(scores[chosen]) > comparable(best.score):
            best = _ensemble(picks, scores[chosen])
    assert best is not None, "an ensemble needs a pick"
    return best


def weighted_mean(predictions: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """The mean prediction of some models, by head."""
    pairs = list(zip(weights, predictions, strict=True))
    return {head: np.sum([weight * one[head] for weight, one in pairs], axis=0) for head in predictions[0]}


def disagreement(predictions: Sequence[Float[np.ndarray, "batch classes"]]) -> float:
    """How often two models name different classes, on average over all pairs; 0 for a single model."""
    named = [one.argmax(axis=-1) for one in predictions]
    pairs = [(a != b).mean() for i, a in enumerate(named) for b in named[i + 1 :]]
    return float(np.mean(pairs)) if pairs else 0.0


def comparable(score: Score) -> Score:
    """The score with NaN, which compares with nothing and would win by its place, as minus infinity."""
    return tuple(float("-inf") if np.isnan(entry) else entry for entry in score)


def _added(total: Predictions, predictions: Predictions) -> Predictions:
    return {head: total[head] + array if total else array for head, array in predictions.items()}


def _mean(total: Predictions, count: int) -> Predictions:
    return {head: array / count for head, array in total.items()}


def _ensemble(picks: list[int], score: Score) -> Ensemble:
    members = tuple(dict.fromkeys(picks))
    return Ensemble(members, tuple(picks.count(member) / len(picks) for member in members), score)
