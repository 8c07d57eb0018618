"""What the numbers of a forecasting head mean: quantiles, a mean, and the probability of not being zero.

A law reads the numbers of each step of the horizon: as many as there are levels for quantiles, then one for
the mean, one for the spread of counts and one for zero or not. All is in the units of the scaled series.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pomona.nn.quantiles import mean_of_quantiles, mixed_with_zero, ordered_quantiles

EXTRA_NUMBERS = 3
"""Numbers of a step beside those for its quantiles."""

Undo = Callable[[Tensor], Tensor]
"""From what a network computes in to the scaled series, such as the inverse of a logarithm; never falls."""


@dataclass(frozen=True, eq=False)
class Law:
    """A law for every step of the horizon, on the scale of the scaled series."""

    mean: Float[Tensor, "batch horizon"]
    quantiles: Float[Tensor, "batch horizon level"]
    nonzero: Float[Tensor, "batch horizon"] | None = None
    """Probability that the value is not zero, where the law says that."""
    spread: Float[Tensor, "batch horizon"] | None = None
    """Number of successes of a negative binomial law."""
    positive: Float[Tensor, "batch horizon level"] | None = None
    """Quantiles of the value if it is not zero."""
    positive_mean: Float[Tensor, "batch horizon"] | None = None
    logit: Float[Tensor, "batch horizon"] | None = None
    """Log odds of not being zero."""


def quantile_law(raw: Tensor, levels: Sequence[float], undo: Undo, size: Tensor) -> Law:
    """Quantiles alone; the mean is that of the law that they describe."""
    quantiles = undo(ordered_quantiles(raw[..., : len(levels)], levels))
    return Law(mean_of_quantiles(quantiles, levels), quantiles)


def located_law(raw: Tensor, levels: Sequence[float], undo: Undo, size: Tensor) -> Law:
    """Quantiles, and a mean of its own."""
    quantiles = undo(ordered_quantiles(raw[..., : len(levels)], levels))
    return Law(undo(raw[..., len(levels)]), quantiles)


def positive_law(raw: Tensor, levels: Sequence[float], undo: Undo, size: Tensor) -> Law:
    """Quantiles, and a mean above zero."""
    quantiles = undo(ordered_quantiles(raw[..., : len(levels)], levels))
    return Law(F.softplus(raw[..., len(levels)]), quantiles)


def count_law(raw: Tensor, levels: Sequence[float], undo: Undo, size: Tensor) -> Law:
    """Quantiles, and the mean and spread of a negative binomial law of the counts themselves.

    Its variance is mean + mean² / spread; `size` turns the scaled mean into counts.
    """
    law = positive_law(raw, levels, undo, size)
    spread = F.softplus(raw[..., len(levels) + 1]) + 1e-3
    zero = spread * (torch.log(spread) - torch.log(spread + law.mean * size))
    return Law(law.mean, law.quantiles, nonzero=1 - zero.exp(), spread=spread)


def zero_inflated_law(raw: Tensor, levels: Sequence[float], undo: Undo, size: Tensor) -> Law:
    """Zero or not, and the law of the value if it is not: together mean and quantiles of the value."""
    positive = undo(ordered_quantiles(raw[..., : len(levels)], levels)).clamp_min(0.0)
    positive_mean, logit = F.softplus(raw[..., len(levels)]), raw[..., len(levels) + 2]
    nonzero = logit.sigmoid()
    return Law(
        nonzero * positive_mean,
        mixed_with_zero(nonzero, positive, levels),
        nonzero,
        positive=positive,
        positive_mean=positive_mean,
        logit=logit,
    )


LAWS: dict[str, Callable[[Tensor, Sequence[float], Undo, Tensor], Law]] = {
    "quantile": quantile_law,
    "huber": located_law,
    "squared": located_law,
    "tweedie": positive_law,
    "negative-binomial": count_law,
    "zero-inflated": zero_inflated_law,
}
"""Name of a loss → the law that it is of."""

POSITIVE_LAWS = ("tweedie", "negative-binomial", "zero-inflated")
"""Laws of values that are never below zero."""
