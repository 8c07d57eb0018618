"""Means over the elements of a batch, of which some count more than others."""

from jaxtyping import Float
from torch import Tensor

from pomona.fit.objectives import SMALLEST_TOTAL


def weighted_mean(costs: Float[Tensor, "batch ..."], weights: Tensor | None) -> Float[Tensor, ""]:
    """The mean of the costs, by weight where there is one."""
    if weights is None:
        return costs.mean()
    return (costs * weights).sum() / weights.sum().clamp_min(SMALLEST_TOTAL)
