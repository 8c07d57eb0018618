"""Filterbanks on waveforms: (batch, samples) → energies (batch, ⌈samples / hop⌉, filters).

Frame t is centred on sample t · hop, and samples that are not real count as silence. `reach` is how many
samples from its centre a frame depends on.
"""

import itertools
import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.band_energy import band_energies, convolved_energies
from pomona.nn.gabor import GaborFilters, gabor_filters, mel_gabors
from pomona.nn.low_pass import GaussianWindows, gaussian_windows
from pomona.nn.sinc import SincFilters

LEAK = 0.2


class ModulusBank(nn.Module):
    """The squared modulus of complex filters under windows."""

    def __init__(self, filters: nn.Module, windows: nn.Module, window: int, hop: int):
        super().__init__()
        self.filters = filters
        self.windows = windows
        self.hop = hop
        self.reach = 2 * (window // 2)

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame filter"]:
        return band_energies(x, self.filters(), self.windows(), self.hop, mask)


class FreeFilters(nn.Module):
    """Complex filters of which every tap is learned, Gabor filters of the mel scale at the start.

    The phase at which a filter starts is drawn at random: its modulus does not depend on it.
    """

    def __init__(self, rate: int, num_filters: int, window: int):
        super().__init__()
        self.rate = rate
        self.num_filters = num_filters
        self.window = window
        self.convolution = nn.Conv1d(1, 2 * num_filters, window, bias=False)

    def forward(self) -> Float[Tensor, "part filter tap"]:
        """What the convolution answers to an impulse."""
        weight = self.convolution.weight
        impulse = torch.zeros(1, 1, 2 * self.window - 1, dtype=weight.dtype, device=weight.device)
        impulse[:, :, self.window - 1] = 1.0
        return self.convolution(impulse)[0].unflatten(0, (2, -1))

    def initialise(self, generator: torch.Generator) -> None:
        """Gabor filters of random phase."""
        start = gabor_filters(*mel_gabors(self.rate, self.num_filters), self.window)
        angle = 2 * math.pi * torch.rand(self.num_filters, 1, generator=generator)
        real = start[0] * angle.cos() - start[1] * angle.sin()
        imaginary = start[0] * angle.sin() + start[1] * angle.cos()
        with torch.no_grad():
            self.convolution.weight.copy_(torch.cat((real, imaginary)).flip(1)[:, None])


class SincBank(nn.Module):
    """Band-pass filters, a leaky ReLU, then the mean under windows, or without windows the maximum."""

    def __init__(self, filters: SincFilters, windows: nn.Module | None, hop: int):
        super().__init__()
        self.filters = filters
        self.windows = windows
        self.hop = hop
        self.reach = 2 * (filters.window // 2)

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame filter"]:
        if mask is not None:
            x = x.masked_fill(~mask, 0.0)
        half = self.filters.window // 2
        # the filters are symmetric: nothing is to be flipped
        y = F.leaky_relu(F.conv1d(x[:, None], self.filters()[:, None], padding=half), LEAK)
        if self.windows is None:
            y = y if mask is None else y.masked_fill(~mask[:, None], -torch.inf)
            pooled = F.max_pool1d(y, self.filters.window, self.hop, half)
            # a frame without a real sample has no largest one
            return pooled.masked_fill(pooled == -torch.inf, 0.0).transpose(1, 2)
        y = y if mask is None else y.masked_fill(~mask[:, None], 0.0)
        windows = self.windows()[:, None]
        return F.conv1d(y, windows, stride=self.hop, padding=half, groups=len(windows)).transpose(1, 2)


class GroupedGaborBank(nn.Module):
    """Gabor filters in groups, each with the stride and the number of taps that suffice for it.

    EfficientLEAF (Schlüter and Gutenbrunner 2022): the release chooses both anew from the current filters at
    every step, here they follow from the start, so that a network always has the same shape.
    """

    def __init__(self, rate: int, num_filters: int, window: int, hop: int, num_groups: int = 4):
        super().__init__()
        self.filters = GaborFilters(rate, num_filters, window)
        self.windows = GaussianWindows(num_filters, window)
        self.hop = hop
        # the plan is made of numbers, also where the network is only inferred, on the meta device
        with torch.device("cpu"):
            centers, widths = mel_gabors(rate, num_filters)
        borders = [index * num_filters // num_groups for index in range(num_groups + 1)]
        pairs = [(low, high) for low, high in itertools.pairwise(borders) if high > low]
        self.groups = [(low, high, *_plan(centers[low:high], widths[low:high], hop)) for low, high in pairs]
        self.reach = window // 2 + max(num_taps // 2 for *_, num_taps in self.groups) + hop

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame filter"]:
        centers, widths, spreads = self.filters.centers(), self.filters.widths(), self.windows.widths()
        outputs = []
        for low, high, stride, num_taps in self.groups:
            filters = gabor_filters(centers[low:high], widths[low:high], num_taps)
            windows = _strided_windows(spreads[low:high], self.windows.window, stride)
            outputs.append(convolved_energies(x, filters, windows, self.hop, mask, stride=stride))
        return torch.cat(outputs, 2)


def _strided_windows(spreads: Tensor, window: int, stride: int) -> Tensor:
    """Windows that sum to 1, as wide in samples as those of `window` samples, with a tap every `stride`."""
    num_taps = window // stride // 2 * 2 + 1
    if num_taps == 1:
        return torch.ones_like(spreads)[:, None]
    windows = gaussian_windows(spreads * (window - 1) / ((num_taps - 1) * stride), num_taps)
    return windows / windows.sum(1, keepdim=True)


def _plan(centers: Tensor, widths: Tensor, hop: int) -> tuple[int, int]:
    """The stride, a divisor of the hop, and the odd number of taps of a group."""
    most = max(1.0, math.pi / float(centers.max()))
    stride = max(step for step in range(1, hop + 1) if hop % step == 0 and step <= most)
    return stride, int(4.77 * float(widths.max())) // 2 * 2 + 1
