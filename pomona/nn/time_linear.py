"""Straight ways from the past of a series to its future: a linear map over time, and seasons repeated."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class TimeLinear(nn.Module):
    """(batch, time, feature) → (batch, horizon, 1): each step a weighted sum of the past first feature.

    The last value is taken off before and added after (NLinear; Zeng et al. 2023), so that levels pass.
    """

    def __init__(self, num_steps: int, horizon: int, *, keeps_level: bool = True):
        super().__init__()
        self.keeps_level = keeps_level
        self.linear = nn.Linear(num_steps, horizon)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch horizon 1"]:
        values = x[:, :, 0]
        if not self.keeps_level:
            return self.linear(values).unsqueeze(2)
        last = values[:, -1:]
        return (last + self.linear(values - last)).unsqueeze(2)

    def initialise(self, generator: torch.Generator) -> None:
        """Zeros: at first the last value, or nothing."""
        nn.init.zeros_(self.linear.weight)


class SeasonalRepeat(nn.Module):
    """(batch, time, feature) → (batch, horizon, 1): the first feature a whole number of seasons before.

    A learned weighted mean of the last `num_seasons` seasons, at first of equal weights.
    """

    def __init__(self, season: int, num_seasons: int, horizon: int):
        super().__init__()
        self.season = season
        self.num_seasons = num_seasons
        self.horizon = horizon
        self.mix = nn.Linear(num_seasons, 1, bias=False)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch horizon 1"]:
        values = x[:, -self.season * self.num_seasons :, 0]
        mixed = self.mix(values.unflatten(1, (self.num_seasons, self.season)).transpose(1, 2))
        repeats = -(-self.horizon // self.season)
        return mixed.repeat(1, repeats, 1)[:, : self.horizon]

    def initialise(self, generator: torch.Generator) -> None:
        """The mean of all seasons."""
        nn.init.constant_(self.mix.weight, 1 / self.num_seasons)
