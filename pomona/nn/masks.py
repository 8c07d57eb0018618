"""What layers do with masks: Bool[batch time], true where a step is real. Real steps come first."""

import inspect

from jaxtyping import Bool, Float
from torch import Tensor, nn


def blank(x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None) -> Tensor:
    """`x` with zeros in the steps that are not real, whatever stood there, NaN included."""
    return x if mask is None else x.masked_fill(~mask[:, :, None], 0.0)


def takes_mask(module: nn.Module) -> bool:
    """Whether the module's forward has a parameter named `mask`."""
    return "mask" in inspect.signature(module.forward).parameters


def mask_after(module: nn.Module, mask: Tensor | None) -> Tensor | None:
    """The mask of the module's output; a module that changes the length has a method `mask_after`."""
    change = getattr(module, "mask_after", None)
    return mask if mask is None or change is None else change(mask)
