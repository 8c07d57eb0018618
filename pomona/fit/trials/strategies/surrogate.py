"""A cheap model of scores: which of several untried points is most likely a good one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve
from scipy.special import ndtri

from pomona.fit.trials.strategies.strategy import SearchSpace
from pomona.fit.trials.trial import Trial

RIDGE = 0.3
"""Noise of the normal scores, as a share of their variance."""


def predicted_ranks(
    space: SearchSpace, trials: Sequence[Trial], points: Sequence[Any]
) -> Float[np.ndarray, " point"]:
    """What normal score each of `points` is expected to have among the trials with a score: the higher, the
    better.

    Kernel ridge regression on single features and products of two. Scores count by their rank, so that it
    matters neither in what unit they are nor how bad the worst is.
    """
    scored = [trial for trial in trials if trial.score is not None]
    known = np.array([space.features(trial.genome) for trial in scored])
    asked = np.array([space.features(point) for point in points])
    wanted = normal_scores(np.array([trial.score for trial in scored]))
    centre = known.mean(axis=0)
    known, asked = known - centre, asked - centre
    scale = max(float((known**2).sum(axis=1).mean()), 1e-12)
    kernel, between = _kernel(known, known, scale), _kernel(asked, known, scale)
    kernel[np.diag_indices_from(kernel)] += RIDGE
    return between @ solve(kernel, wanted, assume_a="pos", overwrite_a=True, check_finite=False)


def normal_scores(values: Float[np.ndarray, " trial"]) -> Float[np.ndarray, " trial"]:
    """What a normal draw of the same rank would be, about; of equals the later ranks higher."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ndtri((ranks + 0.5) / len(values))


def _kernel(
    a: Float[np.ndarray, "a feature"], b: Float[np.ndarray, "b feature"], scale: float
) -> Float[np.ndarray, "a b"]:
    products = a @ b.T / scale
    return products + 0.5 * products**2
