"""Several objectives at once: elitist evolution by non-dominated sorting (NSGA-II, Deb et al. 2002)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from pomona.fit.trials.strategies.points import fresh_cross, fresh_mutation, known_keys, random_suggestion
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial

CROSSED_SHARE = 0.3
"""How often a point is joined from two, where the space can."""


def pareto(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A mutation of the better of two points drawn from the best fronts, or the two joined; none is known.

    A point on an earlier front is better, on the same one that with more room around it. `objectives` are
    looked up in a trial's values, then in its attributes; a trial that lacks one is no parent.
    """
    known = known_keys(trials)
    parents, values = measured(trials, settings.objectives)
    if len(parents) < settings.starts:
        return random_suggestion(space, trials, known, generator)
    order = best_order(values, max(settings.starts, 2 * settings.beam_width))
    first, second = (parents[order[int(generator.integers(len(order), size=2).min())]] for _ in range(2))
    if first is not second and generator.random() < CROSSED_SHARE:
        point = fresh_cross(space, first.genome, second.genome, known, generator)
        if point is not None:
            return Suggestion(point, 0, (first.number, second.number), "joined two of the best")
    point = fresh_mutation(space, first.genome, known, generator)
    if point is not None:
        return Suggestion(point, 0, (first.number,), "mutated one of the best")
    return random_suggestion(space, trials, known, generator)


def measured(
    trials: Sequence[Trial], objectives: Sequence[str]
) -> tuple[list[Trial], Float[np.ndarray, "point objective"]]:
    """The first trial of every point that has all objectives, and their means over its trials, to be made as
    small as can be: the score has its sign changed."""
    found: dict[str, list[list[float]]] = {}
    first: dict[str, Trial] = {}
    for trial in trials:
        values = [_value(trial, name) for name in objectives]
        known = [value for value in values if value is not None]
        if len(known) == len(objectives):
            found.setdefault(trial.genome_hash, []).append(known)
            first.setdefault(trial.genome_hash, trial)
    means = [rows[0] if len(rows) == 1 else np.mean(rows, axis=0) for rows in found.values()]
    return list(first.values()), np.array(means, np.float64).reshape(-1, len(objectives))


def _value(trial: Trial, name: str) -> float | None:
    if trial.score is None:
        return None
    if name == "score":
        return -trial.score
    return trial.values.get(name, trial.attributes.get(name))


def best_order(values: Float[np.ndarray, "point objective"], num_best: int) -> Int[np.ndarray, " best"]:
    """Positions of the best points, best first: front by front, within one those with most room first."""
    if values.shape[1] == 1:
        return np.argsort(values[:, 0], kind="stable")[:num_best]
    chosen: list[int] = []
    left = np.arange(len(values))
    while len(chosen) < num_best and len(left):
        is_first = on_front(values[left])
        front, left = left[is_first], left[~is_first]
        chosen += front[np.argsort(-crowding_distances(values[front]), kind="stable")].tolist()
    return np.array(chosen[:num_best], dtype=np.int64)


def on_front(values: Float[np.ndarray, "point objective"]) -> Bool[np.ndarray, " point"]:
    """Whether no other point is better: at most as large in all objectives and smaller in one."""
    at_most = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    is_smaller = (values[:, None, :] < values[None, :, :]).any(axis=2)
    return np.asarray(~np.logical_and(at_most, is_smaller).any(axis=0))


def crowding_distances(values: Float[np.ndarray, "point objective"]) -> Float[np.ndarray, " point"]:
    """How far apart a point's neighbours on its front are, summed over objectives in units of their ranges;
    infinite at the ends."""
    room = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = float(column[order[-1]] - column[order[0]])
        room[order[[0, -1]]] = np.inf
        if span > 0:
            room[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return room
