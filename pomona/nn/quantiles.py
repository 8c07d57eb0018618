"""Quantiles that never cross, and what becomes of them when a value may be zero."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

FIRST_STEP = -2.0
"""Raw numbers of 0, with which networks begin, are neighbours 0.13 sizes of the series apart."""


def ordered_quantiles(
    raw: Float[Tensor, "*batch level"], levels: Sequence[float]
) -> Float[Tensor, "*batch level"]:
    """Quantiles from as many free numbers: the one nearest to the middle, and the distances to the others.

    Distances are softplus of the raw numbers, so that neighbours are never out of order. They are summed from
    the middle outwards: a far quantile moves no near one.
    """
    middle = middle_of(levels)
    steps = F.softplus(raw + FIRST_STEP)
    center = raw[..., middle : middle + 1]
    above = center + steps[..., middle + 1 :].cumsum(-1)
    below = center - steps[..., :middle].flip(-1).cumsum(-1).flip(-1)
    return torch.cat((below, center, above), -1)


def middle_of(levels: Sequence[float]) -> int:
    """The position of the level nearest to one half."""
    return min(range(len(levels)), key=lambda position: abs(levels[position] - 0.5))


def mean_of_quantiles(
    quantiles: Float[Tensor, "*batch level"], levels: Sequence[float]
) -> Float[Tensor, "*batch"]:
    """The mean of the law whose quantile function goes in lines through these and is flat beyond them."""
    inner = [(b - a) / 2 for a, b in zip((0.0, *levels), (*levels, 1.0), strict=True)]
    # beyond the first and the last level the function is flat, so these count twice
    weights = [a + b for a, b in itertools.pairwise(inner)]
    weights[0] += inner[0]
    weights[-1] += inner[-1]
    return (quantiles * quantiles.new_tensor(weights)).sum(-1)


def mixed_with_zero(
    nonzero: Float[Tensor, "*batch"], quantiles: Float[Tensor, "*batch level"], levels: Sequence[float]
) -> Float[Tensor, "*batch level"]:
    """Quantiles of a value that is 0 with probability 1 - `nonzero` and else positive with `quantiles`.

    Level t of the mixture is level (t - zero) / nonzero of the positive part, read from lines between its
    quantiles, which begin at 0; beyond the last one the last line goes on.
    """
    wanted = quantiles.new_tensor(tuple(levels))
    chance = nonzero.unsqueeze(-1).clamp_min(1e-6)
    inner = ((wanted - (1 - chance)) / chance).clamp(0.0, 1.0)
    starts, ends = (0.0, *levels), (*levels, 1.0)
    padded = torch.cat((torch.zeros_like(quantiles[..., :1]), quantiles.clamp_min(0.0)), -1)
    rises = padded[..., 1:] - padded[..., :-1]
    last = rises[..., -1:] * ((ends[-1] - starts[-1]) / max(starts[-1] - starts[-2], 1e-6))
    slopes = torch.cat((rises, last), -1).clamp_min(0.0)
    mixed = torch.zeros_like(inner)
    for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
        share = ((inner - start) / (end - start)).clamp(0.0, 1.0)
        mixed = mixed + slopes[..., position : position + 1] * share
    return mixed
