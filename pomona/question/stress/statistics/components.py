"""Where the spread of scores over models comes from: the seeds, or the luck of the examples.

A score of a model is its mean over n examples. Even models that are equally good in truth score unlike on n
examples, because they do not err on the same ones; the smaller the split and the nearer the score to one
half, the more. That part, `noise`, is the mean over examples of the variance over models, by n. What is left,
`seed`, is the mean covariance over models of two different examples: the variance of scores that a split
without end would show. The difficulty of examples is common to all models and is in neither.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError


@dataclass(frozen=True, eq=False)
class Components:
    """Parts of the variance over models of their mean scores; arrays where drawn again many times."""

    total: Float[np.ndarray, "..."]
    """The variance that is seen."""
    noise: Float[np.ndarray, "..."]
    """What the examples' luck gives, expected."""
    mean: Float[np.ndarray, "..."]
    """The mean score."""

    @property
    def seed(self) -> Float[np.ndarray, "..."]:
        """The variance that the seed decides; unbiased, so below 0 at times where it is small."""
        return self.total - self.noise


def components(values: Float[np.ndarray, "member batch"]) -> Components:
    """The components of the scores of all models on all examples.

    >>> scores = np.random.default_rng(0).random((50, 400)) < 0.9
    >>> parts = components(scores)  # no model is better than another
    >>> abs(float(parts.seed)) < 0.5 * float(parts.noise)
    True
    """
    check_scores(values)
    num_models, num_examples = values.shape
    found = weighted_components(
        np.asarray(values, np.float64), np.ones((1, num_models)), np.ones((1, num_examples))
    )
    return Components(found.total[0], found.noise[0], found.mean[0])


def check_scores(values: Float[np.ndarray, "member batch"]) -> None:
    """Raises DataError unless there are at least two models and two examples."""
    if values.ndim != 2 or min(values.shape) < 2:
        shape = " × ".join(map(str, values.shape))
        raise DataError(f"a spread over models needs at least 2 models and 2 examples, got scores of {shape}")


def weighted_components(
    values: Float[np.ndarray, "member batch"],
    models: Float[np.ndarray, "resample member"],
    examples: Float[np.ndarray, "resample batch"],
) -> Components:
    """The components where models and examples count as often as the weights say, one a resample.

    A model or example that was drawn twice makes no pair with itself, so that resamples have no bias.
    """
    centred = values - values.mean(axis=0)
    weight, squares = examples.sum(1), (examples**2).sum(1)
    pairs = models.sum(1) ** 2 - (models**2).sum(1)
    variance = _variance(models, centred, pairs[:, None])
    means = examples @ centred.T / weight[:, None]
    count = models.sum(1)
    seen = (count * (models * means**2).sum(1) - (models * means).sum(1) ** 2) / pairs
    own = (examples**2 * variance).sum(1)
    seed = (weight**2 * seen - own) / (weight**2 - squares)
    noise = ((examples * variance).sum(1) / weight - seed) / weight
    mean = (models * (examples @ values.T / weight[:, None])).sum(1) / count
    return Components(seed + noise, noise, mean)


def _variance(
    models: Float[np.ndarray, "resample member"],
    values: Float[np.ndarray, "member batch"],
    pairs: Float[np.ndarray, "resample one"],
) -> Float[np.ndarray, "resample batch"]:
    """The variance over models of each example's score."""
    return (models.sum(1, keepdims=True) * (models @ values**2) - (models @ values) ** 2) / pairs
