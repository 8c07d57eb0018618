"""Layers one after another, with the mask handed to those that want it."""

from jaxtyping import Bool
from torch import Tensor, nn

from pomona.nn import masks


class Chain(nn.Sequential):
    """nn.Sequential whose layers see the mask of their own input, also after one that changes the length."""

    def __init__(self, *layers: nn.Module):
        super().__init__(*layers)
        self._takes_mask = tuple(masks.takes_mask(layer) for layer in layers)

    def forward(self, x: Tensor, mask: Bool[Tensor, "batch time"] | None = None) -> Tensor:
        for layer, takes_mask in zip(self, self._takes_mask, strict=True):
            x = layer(x, mask) if takes_mask else layer(x)
            mask = masks.mask_after(layer, mask)
        return x

    def mask_after(self, mask: Tensor | None) -> Tensor | None:
        """The mask of the output."""
        for layer in self:
            mask = masks.mask_after(layer, mask)
        return mask
