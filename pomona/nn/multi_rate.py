"""Dense residual stacks that look at a series at several rates (Challu et al. 2023, "N-HiTS")."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.pooling import SeriesPool


class MultiRate(nn.Module):
    """(batch, time, feature) → (batch, horizon, width).

    One stack a rate, the slowest first: it pools what is left of the series by its rate, explains a part of
    it, takes that away, and forecasts from the same coefficients at horizon / rate points with lines between
    them. Forecasts add up.
    """

    def __init__(self, shape: tuple[int, int], horizon: int, rates: tuple[int, ...], inner: int, width: int):
        super().__init__()
        self.stacks = nn.ModuleList(
            RateStack(shape, horizon, rate, inner, width) for rate in sorted(rates, reverse=True)
        )

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch horizon width"]:
        total = None
        for stack in self.stacks:
            explained, forecast = stack(x)
            x = x - explained
            total = forecast if total is None else total + forecast
        assert total is not None, "a network of several rates has at least one"
        return total


class RateStack(nn.Module):
    """(batch, time, feature) → what is explained of it, and a forecast (batch, horizon, width)."""

    def __init__(self, shape: tuple[int, int], horizon: int, rate: int, inner: int, width: int):
        super().__init__()
        self.num_steps, self.num_features = shape
        self.horizon, self.width = horizon, width
        self.pool = SeriesPool("max" if rate > 1 else "mean", rate)
        self.back_points = max(-(-self.num_steps // rate), 2)
        self.points = max(-(-horizon // rate), 1)
        pooled = -(-self.num_steps // rate) * self.num_features
        self.body = nn.Sequential(nn.Linear(pooled, inner), nn.ReLU(), nn.Linear(inner, inner), nn.ReLU())
        self.back = nn.Linear(inner, self.back_points * self.num_features)
        self.ahead = nn.Linear(inner, self.points * width)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> tuple[Tensor, Tensor]:
        hidden = self.body(self.pool(x).flatten(1))
        back = self.back(hidden).unflatten(1, (self.num_features, self.back_points))
        ahead = self.ahead(hidden).unflatten(1, (self.width, self.points))
        return _lines(back, self.num_steps).transpose(1, 2), _lines(ahead, self.horizon).transpose(1, 2)

    def initialise(self, generator: torch.Generator) -> None:
        """Small last layers: at first nothing is explained."""
        for layer in (self.back, self.ahead):
            nn.init.trunc_normal_(layer.weight, std=0.02, generator=generator)


def _lines(points: Float[Tensor, "batch feature point"], num_steps: int) -> Tensor:
    """Lines through points at even distances, read at `num_steps` steps."""
    if points.shape[2] == num_steps:
        return points
    return F.interpolate(points, size=num_steps, mode="linear")
