"""Levels and sizes of series, found in their past, so that one network can read series of any size."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SCALINGS = ("none", "mean", "standard", "robust", "difference")


@dataclass(frozen=True, eq=False)
class Scaling:
    """What is taken off and divided by: scaled = (value - center) / size.

    `size` is 0 for a past without any variation; such a past scales to 0, and whatever is forecast for it
    scales back to the center.
    """

    past_center: Float[Tensor, "batch #time"]
    future_center: Float[Tensor, "batch #horizon"]
    size: Float[Tensor, "batch 1"]
    observed: Float[Tensor, "batch time"]
    """1 where a scaled past value is known, which takes the value and its center."""

    @property
    def divisor(self) -> Float[Tensor, "batch 1"]:
        """`size`, and 1 where that is 0."""
        return torch.where(self.size > 0, self.size, torch.ones_like(self.size))

    def scaled(self, past: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
        """The past without level and size; 0 where it is not known."""
        return (past - self.past_center) / self.divisor * self.observed

    def scaled_future(self, values: Float[Tensor, "batch horizon"]) -> Float[Tensor, "batch horizon"]:
        """Values of the horizon without level and size."""
        return (values - self.future_center) / self.divisor

    def restored(self, values: Float[Tensor, "batch horizon *some"]) -> Tensor:
        """Scaled values of the horizon with their level and size."""
        extra = (1,) * (values.ndim - 2)
        center = self.future_center.reshape(*self.future_center.shape, *extra)
        return center + values * self.size.reshape(-1, 1, *extra)


def scaling_of(
    past: Float[Tensor, "batch time"],
    observed: Float[Tensor, "batch time"],
    method: str,
    *,
    horizon: int,
    season: int = 1,
) -> Scaling:
    """The scaling by `method` of pasts that hold 0 where `observed` is 0.

    none        nothing                           1
    mean        nothing                           mean of absolute values
    standard    mean                              standard deviation
    robust      median                            mean distance from the median
    difference  the value a season before         mean of absolute differences

    A season before the horizon is the last known season, repeated; it must be shorter than the past.
    """
    count = observed.sum(1, keepdim=True).clamp_min(1.0)
    zero = torch.zeros_like(count)
    if method == "none":
        return Scaling(zero, zero, torch.ones_like(count), observed)
    if method == "difference":
        return _seasonal_difference(past, observed, horizon, season)
    if method == "standard":
        center = past.sum(1, keepdim=True) / count
        size = (((past - center) * observed).square().sum(1, keepdim=True) / count).sqrt()
    else:
        center = zero if method == "mean" else _median(past, observed)
        size = ((past - center).abs() * observed).sum(1, keepdim=True) / count
    # rounding alone is no variation
    size = torch.where(size > 1e-6 * center.abs(), size, zero)
    return Scaling(center, center, size, observed)


def _seasonal_difference(past: Tensor, observed: Tensor, horizon: int, season: int) -> Scaling:
    before = torch.cat((past[:, :season], past[:, :-season]), 1)
    known = torch.cat((torch.zeros_like(observed[:, :season]), observed[:, :-season]), 1) * observed
    differences = (past - before).abs() * known
    size = differences.sum(1, keepdim=True) / known.sum(1, keepdim=True).clamp_min(1.0)
    repeats = -(-horizon // season)
    # a season with gaps is repeated with its mean in their place
    last, is_known = past[:, -season:], observed[:, -season:]
    mean = last.sum(1, keepdim=True) / is_known.sum(1, keepdim=True).clamp_min(1.0)
    last = torch.where(is_known > 0, last, mean.expand_as(last))
    return Scaling(before, last.repeat(1, repeats)[:, :horizon], size, known)


def _median(past: Tensor, observed: Tensor) -> Float[Tensor, "batch 1"]:
    """The lower median of what is observed; 0 where nothing is."""
    ordered = torch.where(observed > 0, past, torch.full_like(past, torch.inf)).sort(1).values
    count = observed.sum(1, keepdim=True)
    middle = ((count - 1).clamp_min(0.0) / 2).long()
    return torch.where(count > 0, ordered.gather(1, middle), torch.zeros_like(count))
