"""Where a fit computes, and how precisely."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from pomona.fit.feeds import Place
from pomona.fit.objectives import Tensors
from pomona.fit.settings import FitSettings
from pomona.fit.threads import device_name
from pomona.foundation.run import Run


def place_of_run(run: Run, settings: FitSettings) -> Place:
    """The device of a run, and the type of the weights: float32, whatever is computed in, or float64."""
    dtype = torch.float64 if settings.precision == "float64" else torch.float32
    return Place(device_name(run.device), dtype)


def resolved(settings: FitSettings, place: Place) -> FitSettings:
    """The settings with precision "auto" told: bfloat16 on an accelerator that has it, else float32."""
    if settings.precision != "auto":
        return settings
    has_bfloat16 = place.device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return replace(settings, precision="bfloat16" if has_bfloat16 else "float32")


def computed(
    forward: Callable[[Tensors], dict[str, Tensor]], batch: Tensors, settings: FitSettings, place: Place
) -> dict[str, Tensor]:
    """The heads that `forward` gives, computed in bfloat16 where `settings` say so; their type is float32."""
    if settings.precision != "bfloat16":
        return forward(batch)
    with torch.autocast(torch.device(place.device).type, torch.bfloat16):
        heads = forward(batch)
    return {name: head.float() for name, head in heads.items()}
