"""From raw pasts to forecasts in the same units, with a network of scaled series between.

Scaling, logarithms and their undoing are part of the module, so that whatever carries it (ONNX, a saved
artifact) gives the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.forecast_laws import LAWS, Law
from pomona.nn.quantiles import mean_of_quantiles, middle_of
from pomona.nn.series_scaling import Scaling, scaling_of

MOST_LOGARITHM = 12.0
"""Logarithms are cut here before they are undone: nobody forecasts 160,000 times the usual size."""

USUAL_LOGARITHM = 4.0
"""Logarithms of sizes are divided by this, to be of the size that networks like."""


@dataclass(frozen=True)
class FrameSettings:
    """What is done around a network."""

    horizon: int
    levels: tuple[float, ...]
    scaling: str = "mean"
    season: int = 1
    logarithm: bool = False
    law: str = "quantile"
    is_nonnegative: bool = False
    """No forecast is below zero."""
    tells_level: bool = False
    """The network also reads how large a series is, so that a forecast of 1,000 times as much may differ in
    kind; wanted where values are counts."""


class ForecastFrame(nn.Module):
    """past, future, lags, static and numbers → heads "y", "quantiles", "nonzero" and what losses need.

    past     (batch, time, 1 + features + 1)  value, covariates, 1 where the value is known; 0 where it is not
    future   (batch, horizon, features)       covariates, where there are any
    lags     (batch, horizon, 2 · lags)       values of earlier seasons, then 1 where they are known
    static   (batch, columns)                 tokens
    numbers  (batch, values)                  static numbers
    """

    def __init__(self, network: nn.Module, settings: FrameSettings):
        super().__init__()
        self.network = network
        self.settings = settings

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Head → tensor, in the units of the past."""
        settings, past = self.settings, inputs["past"]
        values, observed = past[:, :, 0], past[:, :, -1]
        scaling = scaling_of(
            values, observed, settings.scaling, horizon=settings.horizon, season=settings.season
        )
        heads = self.network(self._entered(inputs, scaling))
        law = self._law(_located(heads, settings.levels), scaling)
        return self._heads(law, scaling, observed)

    def _entered(self, inputs: Mapping[str, Tensor], scaling: Scaling) -> dict[str, Tensor]:
        """What the network reads: everything that has a level and a size without them."""
        past = inputs["past"]
        values = self._compressed(scaling.scaled(past[:, :, 0])).unsqueeze(2)
        entered = {
            "past": torch.cat((values, past[:, :, 1:-1], scaling.observed.unsqueeze(2)), 2),
            "future": torch.cat((*self._ahead(inputs, past), *self._lags(inputs, scaling)), 2),
        }
        entered |= {name: inputs[name] for name in ("static", "numbers") if name in inputs}
        if self.settings.tells_level:
            zeros = 1 - (past[:, :, 0] != 0).to(past.dtype).mean(1, keepdim=True)
            level = torch.cat((torch.log1p(scaling.size) / USUAL_LOGARITHM, zeros), 1)
            entered["numbers"] = torch.cat((*([inputs["numbers"]] if "numbers" in inputs else []), level), 1)
        return entered

    def _ahead(self, inputs: Mapping[str, Tensor], past: Tensor) -> list[Tensor]:
        """How far each step of the horizon is, and what is known of it."""
        horizon = self.settings.horizon
        far = torch.arange(1, horizon + 1, dtype=past.dtype, device=past.device) / horizon
        known = [inputs["future"]] if "future" in inputs else []
        return [far[None, :, None].expand(past.shape[0], -1, -1), *known]

    def _lags(self, inputs: Mapping[str, Tensor], scaling: Scaling) -> list[Tensor]:
        if "lags" not in inputs:
            return []
        values, known = inputs["lags"].chunk(2, 2)
        scaled = torch.stack([scaling.scaled_future(values[:, :, lag]) for lag in range(values.shape[2])], 2)
        return [self._compressed(scaled) * known, known]

    def _law(self, raw: Tensor, scaling: Scaling) -> Law:
        settings = self.settings
        return LAWS[settings.law](raw, settings.levels, self._expanded, scaling.divisor)

    def _heads(self, law: Law, scaling: Scaling, observed: Tensor) -> dict[str, Tensor]:
        mean, quantiles = scaling.restored(law.mean), scaling.restored(law.quantiles)
        # in training they stay as they are: what is cut off has no gradient to come back by
        if self.settings.is_nonnegative and not self.training:
            quantiles = quantiles.clamp_min(0.0)
            mean = mean.clamp_min(0.0)
            if self.settings.law == "quantile":
                mean = mean_of_quantiles(quantiles, self.settings.levels)
        # a past without any variation has size 0, and 1 in its place is no size to weigh by
        heads = {"y": mean.unsqueeze(2), "quantiles": quantiles, "size": scaling.size}
        heads |= {"center": scaling.future_center.expand_as(mean)}
        if law.nonzero is not None:
            heads["nonzero"] = law.nonzero
        for name in ("spread", "logit", "positive_mean", "positive"):
            value = getattr(law, name)
            if value is not None:
                heads[name] = value
        return heads

    def _compressed(self, x: Tensor) -> Tensor:
        return x.sign() * torch.log1p(x.abs()) if self.settings.logarithm else x

    def _expanded(self, x: Tensor) -> Tensor:
        if not self.settings.logarithm:
            return x
        return x.sign() * torch.expm1(x.abs().clamp_max(MOST_LOGARITHM))


def _located(heads: Mapping[str, Tensor], levels: Sequence[float]) -> Float[Tensor, "batch horizon number"]:
    """The head's numbers, with the shortcut's forecast added to the middle quantile and to the mean."""
    raw = heads["y"]
    if "shortcut" not in heads:
        return raw
    located = (middle_of(levels), len(levels))
    places = raw.new_tensor([float(number in located) for number in range(raw.shape[2])])
    return raw + heads["shortcut"] * places
