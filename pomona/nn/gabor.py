"""Gabor filters: a tone under a Gaussian, told by two numbers each (Zeghidour et al. 2021, LEAF)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.clamped import clamped
from pomona.nn.scale import Scale

LOWEST_HZ = 60.0
HIGHEST_SHARE = 7800 / 16_000
"""The highest edge of a filter at the start, as a share of the rate."""

PACE = 8.0
"""How many times as fast as its weight a width grows, as a share of itself."""

HALF_WIDTH = math.sqrt(2 * math.log(2)) / math.pi


class GaborFilters(nn.Module):
    """`num_filters` filters of `window` taps, an odd number; forward gives their two parts.

    They start at the mel scale. What is learned is where each filter is relative to its start: weights of 1
    say that it has not moved, and one learning rate suits centres, widths and whatever else a network has.
    Centres and widths are kept within the bounds of the release.
    """

    start_centers: Tensor
    start_widths: Tensor

    def __init__(self, rate: int, num_filters: int, window: int):
        super().__init__()
        self.window = window
        centers, widths = mel_gabors(rate, num_filters)
        self.register_buffer("start_centers", centers, persistent=False)
        self.register_buffer("start_widths", widths, persistent=False)
        self.center = Scale(num_filters, 1.0)
        self.width = Scale(num_filters, 1.0)

    def forward(self) -> Float[Tensor, "part filter tap"]:
        """The impulse responses: their real parts, then their imaginary ones."""
        return gabor_filters(self.centers(), self.widths(), self.window)

    def centers(self) -> Float[Tensor, " filter"]:
        """Centre frequencies in radians a sample, from 0 to π."""
        return clamped(self.center(self.start_centers), 0.0, math.pi)

    def widths(self) -> Float[Tensor, " filter"]:
        """Standard deviations of the Gaussians in samples."""
        # the weight is raised, not the width multiplied: it stays positive, and in a few hundred steps a
        # filter may become several times as narrow
        one = torch.ones_like(self.start_widths)
        widths = self.start_widths * torch.exp(PACE * (self.width(one) - one))
        return clamped(widths, 4 * HALF_WIDTH, self.window * HALF_WIDTH)

    @torch.no_grad()
    def place(self, centers: Float[Tensor, " filter"], widths: Float[Tensor, " filter"]) -> None:
        """Puts the filters there: radians a sample, and samples."""
        self.center.weight.copy_(centers / self.start_centers)
        self.width.weight.copy_(1 + (widths / self.start_widths).log() / PACE)


def gabor_filters(
    centers: Float[Tensor, " filter"], widths: Float[Tensor, " filter"], window: int
) -> Float[Tensor, "part filter tap"]:
    """exp(-t² / (2 width²)) / (√(2π) width) · exp(i center t) for t = -(window // 2) … window // 2."""
    half = window // 2
    t = torch.arange(-half, half + 1, dtype=centers.dtype, device=centers.device)
    bell = torch.exp(-0.5 * (t / widths[:, None]).square()) / (math.sqrt(2 * math.pi) * widths[:, None])
    angle = centers[:, None] * t
    return torch.stack((bell * angle.cos(), bell * angle.sin()))


def mel_gabors(
    rate: int, num_filters: int, lowest_hz: float = LOWEST_HZ
) -> tuple[Float[Tensor, " filter"], Float[Tensor, " filter"]]:
    """Centres and widths of Gabor filters like the triangles of a mel filterbank (HTK's formula).

    A filter is as wide at half its height as the root of its triangle: three quarters of the triangle. The
    release counts bins of a Fourier transform instead and so rounds to multiples of 31 Hz.
    """
    edges = mel_edges(lowest_hz, rate * HIGHEST_SHARE, num_filters + 2)
    full_width = 0.75 * (edges[2:] - edges[:-2])
    centers, widths = 2 * math.pi * edges[1:-1] / rate, HALF_WIDTH * rate / full_width
    return centers.to(torch.get_default_dtype()), widths.to(torch.get_default_dtype())


def mel_edges(low_hz: float, high_hz: float, num_edges: int) -> Float[Tensor, " edge"]:
    """Frequencies in Hz at equal distances on the mel scale, in float64."""
    low, high = (2595.0 * math.log10(1 + hz / 700.0) for hz in (low_hz, high_hz))
    return 700.0 * (10.0 ** (torch.linspace(low, high, num_edges, dtype=torch.float64) / 2595.0) - 1)
