"""Pooling that counts real steps only."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


class SeriesPool(nn.Module):
    """(batch, time, feature) → (batch, ⌈time / size⌉, feature): mean or max of every `size` real steps."""

    def __init__(self, method: str, size: int):
        super().__init__()
        self.method = method
        self.size = size

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch shorter feature"]:
        missing = -x.shape[1] % self.size
        if mask is None:
            mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        real = F.pad(mask, (0, missing)).unflatten(1, (-1, self.size))[..., None]
        windows = F.pad(x, (0, 0, 0, missing)).unflatten(1, (-1, self.size))
        if self.method == "mean":
            return windows.masked_fill(~real, 0.0).sum(2) / real.sum(2).clamp(min=1)
        lowest = windows.masked_fill(~real, -torch.inf).amax(2)
        return lowest.masked_fill(~real.any(2), 0.0)

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch shorter"]:
        """The mask of the output: a window is real where its first step is."""
        return mask[:, :: self.size]


class GlobalPool(nn.Module):
    """One vector an example: mean or max over the pixels of an image or the real steps of a series."""

    def __init__(self, method: str):
        super().__init__()
        self.method = method

    def forward(
        self, x: Float[Tensor, "batch ..."], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch feature"]:
        if x.ndim == 4:
            return x.mean((2, 3)) if self.method == "mean" else x.amax((2, 3))
        if mask is None:
            return x.mean(1) if self.method == "mean" else x.amax(1)
        real = mask[:, :, None]
        if self.method == "mean":
            return x.masked_fill(~real, 0.0).sum(1) / real.sum(1).clamp(min=1)
        return x.masked_fill(~real, -torch.inf).amax(1).masked_fill(~real.any(1), 0.0)
