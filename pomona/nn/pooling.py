"""Pooling over windows of a series that counts real steps only."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.masks import blank


class SeriesPool(nn.Module):
    """(batch, time, feature) → (batch, ⌈time / size⌉, feature): "mean" or "max" of `size` real steps each."""

    def __init__(self, method: str, size: int):
        super().__init__()
        self.method = method
        self.size = size

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch shorter feature"]:
        if self.method == "mean":
            mean = F.avg_pool1d(blank(x, mask).transpose(1, 2), self.size, ceil_mode=True).transpose(1, 2)
            return mean if mask is None else mean / self._real(mask, x).clamp(min=1.0 / self.size)
        if mask is not None:
            x = x.masked_fill(~mask[:, :, None], -torch.inf)
        largest = F.max_pool1d(x.transpose(1, 2), self.size, ceil_mode=True).transpose(1, 2)
        return largest if mask is None else blank(largest, self.mask_after(mask))

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch shorter"]:
        """The mask of the output: a window is real where its first step is."""
        return mask[:, :: self.size]

    def _real(self, mask: Tensor, x: Tensor) -> Tensor:
        """The part of every window that is real."""
        return F.avg_pool1d(mask[:, None].to(x.dtype), self.size, ceil_mode=True).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"{self.method}, {self.size}"
