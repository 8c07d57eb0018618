"""Band-pass filters told by their two edges (Ravanelli and Bengio 2018, SincNet)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.gabor import mel_edges
from pomona.nn.scale import Scale

LEAST_HZ = 50.0
"""The lowest edge and the narrowest band there are."""


class SincFilters(nn.Module):
    """`num_filters` filters of `window` taps, an odd number; forward gives them.

    The lower edge and the width of a band are learned relative to their start, side by side on the mel scale.
    """

    start_low: Tensor
    start_band: Tensor

    def __init__(self, rate: int, num_filters: int, window: int):
        super().__init__()
        self.rate = rate
        self.window = window
        edges = mel_edges(LEAST_HZ, rate / 2 - 2 * LEAST_HZ, num_filters + 1).to(torch.get_default_dtype())
        self.register_buffer("start_low", edges[:-1], persistent=False)
        self.register_buffer("start_band", edges[1:] - edges[:-1], persistent=False)
        self.low = Scale(num_filters, 1.0)
        self.band = Scale(num_filters, 1.0)

    def forward(self) -> Float[Tensor, "filter tap"]:
        """The impulse responses under a Hamming window, of peak 1."""
        low, high = self.edges_hz()
        half = self.window // 2
        t = torch.arange(-half, half + 1, dtype=low.dtype, device=low.device) / self.rate
        hamming = 0.54 + 0.46 * torch.cos(2 * math.pi * t * self.rate / self.window)
        passed = high[:, None] * torch.sinc(2 * high[:, None] * t)
        passed = passed - low[:, None] * torch.sinc(2 * low[:, None] * t)
        return passed / (high - low)[:, None] * hamming

    def edges_hz(self) -> tuple[Float[Tensor, " filter"], Float[Tensor, " filter"]]:
        """The lower and the upper edge of every band."""
        low = LEAST_HZ + self.low(self.start_low).abs()
        low = low.clamp(max=self.rate / 2 - LEAST_HZ)
        high = low + LEAST_HZ + self.band(self.start_band).abs()
        return low, high.clamp(max=self.rate / 2)
