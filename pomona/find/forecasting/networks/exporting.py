"""A whole forecaster of networks as one module: windows in, the final forecast out.

Scaling, the weighted mean of all networks and the conformal correction are in the module, so that an ONNX
file of it has them too. What it has not is the cutting of windows and the clock: `window_inputs` makes its
inputs from a panel.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from pomona.find.forecasting.conformal import Correction
from pomona.find.forecasting.members.networks import parts_of
from pomona.find.forecasting.networks.member import INPUTS, module_of, read_design
from pomona.find.forecasting.networks.training import Design
from pomona.find.forecasting.problem import Panel, Params, select
from pomona.find.forecasting.scores import scale_of
from pomona.find.forecasting.windows import Windows
from pomona.foundation.errors import SpecError
from pomona.tasks.batch import Batch

NETWORKS = "networks"
"""The only member whose arithmetic an ONNX file can carry."""

EXAMPLES = 64


class WholeForecaster(nn.Module):
    """Windows, and "scale", by which the correction is measured → "forecast", "quantiles", perhaps "nonzero".

    A network reads the end of the past, the lags if it wants them, and the first static columns.
    """

    shift: Tensor

    def __init__(self, params: Params, correction: Correction):
        super().__init__()
        parts = parts_of(params)
        self.designs = [read_design(part) for _, part in parts.values()]
        self.frames = nn.ModuleList(
            module_of(part, design) for (_, part), design in zip(parts.values(), self.designs, strict=True)
        )
        self.weights = [weight for weight, _ in parts.values()]
        self.is_count = correction.is_count
        self.register_buffer("shift", torch.tensor(correction.shift, dtype=torch.float32))

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weighted mean of what the networks say, with corrected quantiles."""
        said = [frame(_own(inputs, design)) for frame, design in zip(self.frames, self.designs, strict=True)]
        quantiles = _mean([heads["quantiles"] for heads in said], self.weights)
        moved = (quantiles + self.shift * inputs["scale"][:, None, None]).sort(2).values
        if self.is_count:
            moved = torch.where(moved < 1, (2 * moved - 1).clamp_min(0.0), moved)
        # where no quantile was below zero none will be
        is_floored = (quantiles >= 0).flatten(1).all(1)[:, None, None]
        moved = torch.where(is_floored, moved.clamp_min(0.0), moved)
        mean = _mean([heads["y"][:, :, 0] for heads in said], self.weights)
        # a head called "mean" would share its name with a node of the graph
        result = {"forecast": mean, "quantiles": moved}
        told = [
            (heads["nonzero"], w) for heads, w in zip(said, self.weights, strict=True) if "nonzero" in heads
        ]
        if told:
            result["nonzero"] = _mean([chance for chance, _ in told], [weight for _, weight in told])
        return result

    @property
    def widest(self) -> Design:
        """The windows that hold what every network reads."""
        designs = self.designs
        longest = max(designs, key=lambda design: design.window.context)
        most = max(designs, key=lambda design: design.encoding.num_tokens)
        lags = max((design.window.lags for design in designs), key=len)
        return replace(longest, window=replace(longest.window, lags=lags), encoding=most.encoding)


def window_inputs(module: WholeForecaster, panel: Panel, cut: np.ndarray) -> Batch:
    """The inputs of the exported model for every series of a panel."""
    design = module.widest
    windows = Windows(panel, cut, design.window, design.encoding)
    batch = windows.read(np.arange(panel.num_series), cut)
    inputs = {name: batch[name] for name in INPUTS if name in batch}
    return {**inputs, "scale": scale_of(panel, cut).astype(np.float32)}


def exportable(
    params: Mapping[str, Params], weights: Mapping[str, float], correction: Correction, panel: Panel
) -> tuple[WholeForecaster, Batch]:
    """A forecaster as one module, and the windows of the first series of `panel` as an example.

    Raises SpecError, naming the member, when one with a share of the forecast is no network.
    """
    others = [name for name, weight in weights.items() if name != NETWORKS and weight > 0]
    if others:
        raise SpecError(
            f"the forecast comes in part from {' and '.join(others)}, which no ONNX file can carry: "
            f"forecast again with --members {NETWORKS}"
        )
    if not params[NETWORKS].plain["networks"]:
        raise SpecError("the forecaster holds no network: its series were too short to train any")
    module = WholeForecaster(params[NETWORKS], correction).eval()
    few = select(panel, np.arange(min(panel.num_series, EXAMPLES)))
    return module, window_inputs(module, few, few.ends)


def _own(inputs: Mapping[str, Tensor], design: Design) -> dict[str, Tensor]:
    """What one network reads of the widest windows."""
    own = {"past": inputs["past"][:, -design.window.context :]}
    if "future" in inputs:
        own["future"] = inputs["future"]
    if design.window.lags:
        own["lags"] = inputs["lags"]
    if design.encoding.tokens:
        own["static"] = inputs["static"][:, : len(design.encoding.tokens)]
    if design.encoding.numbers:
        own["numbers"] = inputs["numbers"]
    return own


def _mean(parts: list[Tensor], weights: list[float]) -> Tensor:
    total = sum(weights)
    mean = parts[0] * (weights[0] / total)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        mean = mean + part * (weight / total)
    return mean
