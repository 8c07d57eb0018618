"""Scores of probabilities that only the true ones optimise: log loss in its units, and Brier."""

import math

import numpy as np

from pomona.tasks.metrics.metric import Metric, Rows, Weight, class_units, is_multilabel, ratio, weighted

SMALLEST_PROBABILITY = 1e-12
"""Probabilities below count as this, so that one certain mistake costs 27.6 nats rather than everything."""


def nll_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Nats that the truth costs, summed over real units or averaged over labels, and the number of them."""
    if is_multilabel(prediction, target):
        held = np.where(target >= 0.5, prediction, 1 - prediction.astype(np.float64))
        cost, num_units = _nats(held).mean(axis=1), np.ones(len(held))
    else:
        probabilities, labels, real = class_units(prediction, target, mask)
        held = np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0]
        cost, num_units = (_nats(held) * real).sum(axis=1), real.sum(axis=1)
    return weighted(np.stack([cost, num_units], axis=1), weight)


def brier_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Squared distance of the probabilities from the truth, and the number of real units."""
    probabilities, labels, real = class_units(prediction, target, mask)
    probabilities = probabilities.astype(np.float64)
    own = np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0]
    distance = (probabilities**2).sum(axis=-1) - 2 * own + 1
    return weighted(np.stack([(distance * real).sum(axis=1), real.sum(axis=1)], axis=1), weight)


def perplexity(rows: Rows) -> float | None:
    """e to the power of the mean cost."""
    nats = ratio(rows)
    return None if nats is None else math.exp(nats)


def bits(rows: Rows) -> float | None:
    """The mean cost in bits."""
    nats = ratio(rows)
    return None if nats is None else nats / math.log(2)


def _nats(probabilities: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(probabilities.astype(np.float64), SMALLEST_PROBABILITY, 1))


LIKELIHOOD_METRICS = (
    Metric(
        "nll",
        ("classify", "multilabel", "segment", "sequence", "language"),
        nll_rows,
        ratio,
        False,
        "mean over examples (pixels, real steps, labels) of minus the natural logarithm of the probability "
        "given to the truth, which counts as 1e-12 at least",
        (0.0, math.inf),
        unit="nats",
    ),
    Metric(
        "brier",
        ("classify",),
        brier_rows,
        ratio,
        False,
        "mean over examples of the squared differences, summed over classes, of the probabilities from 1 for "
        "the true class and 0 for the others",
        (0.0, 2.0),
    ),
    Metric(
        "perplexity",
        ("language",),
        nll_rows,
        perplexity,
        False,
        "e to the power of nll: the number of equally likely tokens that would be as hard to guess",
        (1.0, math.inf),
    ),
    Metric(
        "bits_per_token",
        ("language",),
        nll_rows,
        bits,
        False,
        "nll by the natural logarithm of 2",
        (0.0, math.inf),
        unit="bits",
    ),
)
