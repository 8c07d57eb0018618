"""Harmonica (Hazan, Klivans, Yuan 2017, arXiv 1706.00764): sparse polynomials of low degree."""

import functools
import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.strategies.surrogate import normal_scores
from pomona.fit.trials.trial import Trial

WARM_UP = 20
"""Random trials before the first polynomial."""

REFIT = 10
"""Trials after which the polynomial is fitted anew."""

TERMS = 10
"""Most terms of the polynomial, as released."""

DRAWS = 100
"""Random points of which the polynomial chooses; the release draws 10,000."""


def harmonica(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """The best of many random points by a sparse polynomial of degree two, fitted to the scores by lasso.

    Features are those of the space and all their products. Scores are taken by rank.
    """
    scored = [trial for trial in trials if trial.score is not None]
    if len(scored) < WARM_UP:
        return random_search(space, trials, generator, settings)
    fitted = scored[: len(scored) // REFIT * REFIT]
    features = np.array([space.features(trial.genome) for trial in fitted])
    scores = np.array([trial.score for trial in fitted])
    terms, weights = polynomial(features.tobytes(), scores.tobytes())
    points = [space.sample(generator) for _ in range(DRAWS)]
    drawn = np.array([space.features(point) for point in points])
    best = int(np.argmax(_values(drawn, terms) @ weights))
    return paid(space, trials, points[best], mutation="best of many random points by a polynomial")


@functools.lru_cache(maxsize=8)
def polynomial(
    features: bytes, scores: bytes
) -> tuple[Int[np.ndarray, "term 2"], Float[np.ndarray, " term"]]:
    """The terms, as pairs of features (-1: the constant one), and their weights.

    `features` (trial × feature) and `scores` are float64 arrays as bytes, so that results can be kept: a fit
    is asked for at every trial until the next one. Lasso chooses the terms, least squares their weights.
    """
    from sklearn.linear_model import lars_path

    wanted = normal_scores(np.frombuffer(scores))
    known = np.frombuffer(features).reshape(len(wanted), -1)
    terms = _informative(known)
    columns = _values(known, terms)
    columns = columns - columns.mean(axis=0)
    lengths = np.sqrt((columns**2).sum(axis=0))
    with warnings.catch_warnings():
        # terms that are equal on all trials end the path early; one of them is enough
        warnings.simplefilter("ignore")
        active = lars_path(columns / lengths, wanted, method="lasso", max_iter=TERMS)[1]
    chosen = np.array(active[:TERMS], dtype=np.int64)
    weights = np.linalg.lstsq(columns[:, chosen], wanted, rcond=None)[0]
    return terms[chosen], weights


def _informative(features: Float[np.ndarray, "trial feature"]) -> Int[np.ndarray, "term 2"]:
    """All single features and products of two that are not constant over the trials."""
    num_features = features.shape[1]
    single = np.stack([np.full(num_features, -1), np.arange(num_features)], axis=1)
    terms = np.vstack([single, np.stack(np.triu_indices(num_features, 1), axis=1)])
    spread = np.ptp(_values(features, terms), axis=0)
    return terms[spread > 1e-12]


def _values(
    features: Float[np.ndarray, "trial feature"], terms: Int[np.ndarray, "term 2"]
) -> Float[np.ndarray, "trial term"]:
    padded = np.hstack([features, np.ones((len(features), 1))])
    return padded[:, terms[:, 0]] * padded[:, terms[:, 1]]
