"""Temperature scaling: one number that makes a network as sure as it is right (Guo et al. 2017)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from pomona.foundation.errors import DataError
from pomona.tasks.metrics.metric import class_units, is_multilabel
from pomona.tasks.outputs import CLASS_AXIS, sigmoid, softmax

TEMPERED_KINDS = (*CLASS_AXIS, "multilabel")
"""The kinds whose predictions are probabilities."""

COLDEST, HOTTEST = 0.01, 100.0


def fit_temperature(
    prediction: Float[np.ndarray, "batch ..."],
    target: np.ndarray,
    *,
    weight: Float[np.ndarray, " batch"] | None = None,
    mask: Bool[np.ndarray, "batch ..."] | None = None,
) -> float:
    """The temperature in [0.01, 100] under which probabilities give held-out truths the highest likelihood.

    Above 1 the network was too sure of itself. The cost is convex in 1 / temperature, so its minimum is where
    the slope changes sign. One more example whose truth is any class is counted in: without it, a network
    that makes no mistake on few examples would be called certain of everything.
    """
    scores, labels, real = _scores(prediction, target, mask)
    counts = real * (1.0 if weight is None else np.asarray(weight, np.float64)[:, None])
    kept = counts > 0
    if not kept.any():
        raise DataError("a temperature needs at least one example that counts, got none")
    share = 1 / (1 + kept.any(axis=1).sum())
    scores, labels, counts = scores[kept], labels[kept], counts[kept]
    scores = scores - scores.mean(axis=-1, keepdims=True)
    if np.abs(scores).max() < 1e-9:
        return 1.0  # all classes alike: no temperature changes that
    own = np.take_along_axis(scores, labels[:, None], axis=-1)[:, 0]
    # the mean score of all classes is 0 by now, so the added example only takes from the weight of the truth
    wanted = counts @ ((1 - share) * own)

    def slope(log_sharpness: float) -> float:
        sharpness = np.exp(log_sharpness)
        return float(counts @ (softmax(scores * sharpness) * scores).sum(axis=-1) - wanted)

    found = np.exp(-_root(slope, -np.log(HOTTEST), -np.log(COLDEST)))
    return float(np.clip(found, COLDEST, HOTTEST))


def temper(
    kind: str, prediction: Float[np.ndarray, "batch ..."], temperature: float
) -> Float[np.ndarray, "batch ..."]:
    """Probabilities to the power 1 / temperature, normalised: what dividing raw outputs by it gives.

    Predictions of kinds without probabilities stay as they are.
    """
    if temperature == 1.0 or kind not in TEMPERED_KINDS:
        return prediction
    if kind == "multilabel":
        return sigmoid(_logits(prediction) / prediction.dtype.type(temperature))
    logarithm = np.log(np.maximum(prediction, np.finfo(prediction.dtype).tiny))
    return softmax(logarithm / prediction.dtype.type(temperature), axis=CLASS_AXIS[kind])


def _scores(
    prediction: np.ndarray, target: np.ndarray, mask: np.ndarray | None
) -> tuple[
    Float[np.ndarray, "batch unit classes"], Int[np.ndarray, "batch unit"], Bool[np.ndarray, "batch unit"]
]:
    """Raw outputs up to a constant, the truth and what is real; a label is a choice between no and yes."""
    if is_multilabel(prediction, target):
        logits = _logits(prediction).astype(np.float64)
        labels = (target >= 0.5).astype(np.int64)
        return np.stack([np.zeros_like(logits), logits], axis=-1), labels, np.ones(labels.shape, bool)
    probabilities, labels, real = class_units(prediction, target, mask)
    smallest = np.finfo(prediction.dtype).tiny
    return np.log(np.maximum(probabilities, smallest)).astype(np.float64), labels, real


def _logits(prediction: np.ndarray) -> np.ndarray:
    smallest = np.finfo(prediction.dtype).tiny
    return np.log(np.maximum(prediction, smallest)) - np.log(np.maximum(1 - prediction, smallest))


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    if slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    return float(brentq(slope, low, high, xtol=1e-10))  # pyright: ignore[reportArgumentType]
