"""A front end: a filterbank, then a compression, as one module between a waveform and a network."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn import masks
from pomona.nn.clamped import clamped
from pomona.nn.scale import Scale

LOG_OFFSET = 1e-5


class FrontEnd(nn.Module):
    """(batch, samples) → (batch, ⌈samples / hop⌉, filters)."""

    def __init__(self, bank: nn.Module, compression: nn.Module, hop: int):
        super().__init__()
        self.bank = bank
        self.compression = compression
        self.hop = hop
        self._masked = masks.takes_mask(compression)

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame filter"]:
        energies = self.bank(x, mask)
        if not self._masked:
            return self.compression(energies)
        return self.compression(energies, None if mask is None else self.mask_after(mask))

    def mask_after(self, mask: Bool[Tensor, "batch samples"]) -> Bool[Tensor, "batch frame"]:
        """The mask of the frames: real where the frame's centre is."""
        return mask[:, :: self.hop]


class LogEnergy(nn.Module):
    """log(x + 1e-5), scaled so that silence is 0 and an energy of 1 is 1."""

    def forward(self, x: Float[Tensor, "batch frame filter"]) -> Float[Tensor, "batch frame filter"]:
        return 1.0 - (x + LOG_OFFSET).log() / math.log(LOG_OFFSET)


class LogNorm(nn.Module):
    """log(1 + 10^a x), then every filter at mean 0 and deviation `gain` over the real frames of an example.

    EfficientLEAF's compression with a learned a, 5 at the start, except that its statistics are those of one
    example where the release takes a batch's.
    """

    start: Tensor

    def __init__(self, num_filters: int):
        super().__init__()
        self.register_buffer("start", torch.full((num_filters,), 5.0), persistent=False)
        self.exponent = Scale(num_filters, 1.0)
        self.gain = Scale(num_filters, 1.0)

    def forward(
        self, x: Float[Tensor, "batch frame filter"], mask: Bool[Tensor, "batch frame"] | None = None
    ) -> Float[Tensor, "batch frame filter"]:
        factor = 10.0 ** clamped(self.exponent(self.start), 0.0, 10.0)
        y = masks.blank(torch.log1p(factor * x), mask)
        count = float(y.shape[1]) if mask is None else mask.sum(1).clamp(min=1)[:, None, None]
        centred = masks.blank(y - y.sum(1, keepdim=True) / count, mask)
        variance = centred.square().sum(1, keepdim=True) / count
        return self.gain(centred * (variance + 1e-5).rsqrt())
