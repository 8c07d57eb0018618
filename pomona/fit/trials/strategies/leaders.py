"""Which point is best when scores are noisy: means over seeds, shrunken, and what to evaluate again.

The best of many noisy scores is too good on average (the winner's curse). Here true means are taken as normal
draws around their median (empirical Bayes: Efron, Morris 1975), so a point's mean is pulled towards it, the
more the fewer seeds it has; choosing the best does not bias that. How far true means lie apart is told from
the points above the median: the bad ones can be bad without end and say nothing of the good.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from pomona.fit.trials.trial import Trial

INTERVAL_Z = 1.959963984540054
"""Standard errors either side of a mean for an interval of 95 %."""

LEAST_SPREAD = 0.1
"""Variance of true means that is taken for granted, as a share of the noise's."""


@dataclass(frozen=True)
class Shrunken:
    """A point's expected score over seeds, its 95 % interval, and on how many seeds they rest.

    The interval is (NaN, NaN), and the mean that of the scores, while no point has two seeds: the noise is
    not known then.
    """

    mean: float
    interval: tuple[float, float]
    num_seeds: int


@dataclass(frozen=True)
class Winner:
    """The point to choose: the first of its trials, and what to expect of it."""

    trial: Trial
    score: Shrunken


@dataclass(frozen=True)
class _Points:
    """Scores summed up by point; `first` are the positions of their first trials, best mean first."""

    keys: tuple[str, ...]
    first: tuple[Trial, ...]
    means: Float[np.ndarray, " point"]
    num_seeds: Int[np.ndarray, " point"]
    noise: float  # variance between seeds; NaN while unknown


def shrunken_means(trials: Sequence[Trial]) -> dict[str, Shrunken]:
    """What to expect of every point with a score, by its key; the best scores over all seeds first.

    Trials of equal `genome_hash` are evaluations of one point. The noise is taken as equal for all points.
    """
    points = _summed_up(trials)
    means, variances = _posterior(points)
    half_widths = INTERVAL_Z * np.sqrt(variances + _doubts(points, means))
    return {
        key: Shrunken(float(mean), (float(mean - half), float(mean + half)), int(seeds))
        for key, mean, half, seeds in zip(points.keys, means, half_widths, points.num_seeds, strict=True)
    }


def leading_points(trials: Sequence[Trial], num_points: int) -> list[Trial]:
    """The first trials of the points of the highest shrunken means, best first."""
    points = _summed_up(trials)
    best = np.argsort(-_posterior(points)[0], kind="stable")[:num_points]
    return [points.first[index] for index in best]


def winner(trials: Sequence[Trial]) -> Winner | None:
    """The point of the highest shrunken mean; None when no trial is completed.

    A point of which an evaluation failed wins only when there is no other.
    """
    shrunken = shrunken_means(trials)
    if not shrunken:
        return None
    failed = {trial.genome_hash for trial in trials if trial.state == "failed"}
    key = max(shrunken, key=lambda key: (key not in failed, shrunken[key].mean, shrunken[key].num_seeds))
    first = next(trial for trial in trials if trial.genome_hash == key and trial.score is not None)
    return Winner(first, shrunken[key])


def leader_to_repeat(trials: Sequence[Trial]) -> Trial | None:
    """The first trial of the point that is best evaluated once more; None when no trial is completed.

    It is the one whose next evaluation is expected to improve the choice of the winner most (knowledge
    gradient: Frazier, Powell, Dayanik 2008). While the noise is unknown it is the best point. Points with a
    failed or unfinished evaluation are left out.
    """
    points = _summed_up(trials)
    if not points.keys:
        return None
    if np.isnan(points.noise):
        gains = points.means
    else:
        gains = _knowledge_gradient(*_posterior(points), points.noise)
    barred = {trial.genome_hash for trial in trials if trial.state in ("failed", "running", "waiting")}
    for index in np.argsort(-gains, kind="stable"):
        if points.keys[index] not in barred:
            return points.first[index]
    return None


def _summed_up(trials: Sequence[Trial]) -> _Points:
    scores: dict[str, list[float]] = {}
    first: dict[str, Trial] = {}
    for trial in trials:
        if trial.state == "completed" and trial.score is not None:
            if trial.genome_hash in scores:
                scores[trial.genome_hash].append(trial.score)
            else:
                scores[trial.genome_hash] = [trial.score]
                first[trial.genome_hash] = trial
    num_seeds = np.array([len(own) for own in scores.values()], dtype=np.int64)
    means = np.array([sum(own) / len(own) if len(own) > 1 else own[0] for own in scores.values()])
    repeats = [own for own in scores.values() if len(own) > 1]
    freedom = sum(len(own) - 1 for own in repeats)
    squares = sum((score - sum(own) / len(own)) ** 2 for own in repeats for score in own)
    order = np.argsort(-means, kind="stable")
    keys, trials_of = list(scores), list(first.values())
    return _Points(
        tuple(keys[index] for index in order),
        tuple(trials_of[index] for index in order),
        means[order],
        num_seeds[order],
        squares / freedom if freedom else float("nan"),
    )


def _posterior(points: _Points) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Means and variances of the points' true means; NaN variances while the noise is unknown."""
    if np.isnan(points.noise) or not points.keys:
        return points.means, np.full_like(points.means, np.nan)
    centre = float(np.median(points.means))
    errors = points.noise / points.num_seeds
    is_leading = points.means >= centre
    squares = (points.means[is_leading] - centre) ** 2
    spread = max(float((squares - errors[is_leading]).mean()), LEAST_SPREAD * points.noise)
    weights = spread / (spread + errors) if spread > 0 else np.ones_like(errors)
    return centre + weights * (points.means - centre), weights * errors


def _doubts(points: _Points, means: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
    """What is added to variances since the spread of true means is an estimate, the worse the fewer points it
    rests on (Morris 1983, JASA 78, with the distance from the centre bounded by that of the best point)."""
    if not points.keys:
        return means
    pulls = np.minimum(np.abs(points.means - means), abs(float(points.means[0] - means[0])))
    return 2.0 / max(len(points.keys) // 2 - 3, 1) * pulls**2


def _knowledge_gradient(
    means: Float[np.ndarray, " point"], variances: Float[np.ndarray, " point"], noise: float
) -> Float[np.ndarray, " point"]:
    """By how much one more evaluation of each point is expected to raise the highest posterior mean."""
    if len(means) < 2:
        return np.ones_like(means)
    runner_up, best = np.partition(means, -2)[-2:]
    rivals = np.where(means == best, runner_up, best)
    moves = variances / np.sqrt(np.maximum(variances + noise, 1e-300))
    # 40 deviations away the gain is 0 in floating point; the bound spares an overflow
    distances = -np.minimum(np.abs(means - rivals) / np.maximum(moves, 1e-300), 40.0)
    densities = np.exp(-0.5 * distances**2) / np.sqrt(2.0 * np.pi)
    return moves * (distances * ndtr(distances) + densities)
