"""Windows over which the energy of a filter is averaged."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.clamped import clamped
from pomona.nn.scale import Scale

START = 0.4
"""The deviation of a window as a share of half its length: much like a Hann window."""


class GaussianWindows(nn.Module):
    """A Gaussian window of learned width for every filter; forward gives them.

    They sum to 1, as in the paper; `faithful` leaves their peak at 1, as in the release, so that a wide
    window is a loud one.
    """

    start: Tensor

    def __init__(self, num_filters: int, window: int, *, faithful: bool = False):
        super().__init__()
        self.window = window
        self.faithful = faithful
        self.register_buffer("start", torch.full((num_filters,), START), persistent=False)
        self.width = Scale(num_filters, 1.0)

    def forward(self) -> Float[Tensor, "filter tap"]:
        windows = gaussian_windows(self.widths(), self.window)
        return windows if self.faithful else windows / windows.sum(1, keepdim=True)

    def widths(self) -> Float[Tensor, " filter"]:
        """Deviations as shares of half the window."""
        return clamped(self.width(self.start), 2 / self.window, 0.5)


class HannWindows(nn.Module):
    """The same window for every filter, a squared Hann window that sums to 1; nothing is learned."""

    taps: Tensor

    def __init__(self, num_filters: int, window: int):
        super().__init__()
        self.num_filters = num_filters
        taps = torch.hann_window(window, periodic=False, dtype=torch.float64).square()
        self.register_buffer("taps", (taps / taps.sum()).to(torch.get_default_dtype()), persistent=False)

    def forward(self) -> Float[Tensor, "filter tap"]:
        return self.taps.expand(self.num_filters, -1)


def gaussian_windows(widths: Float[Tensor, " filter"], window: int) -> Float[Tensor, "filter tap"]:
    """Gaussians of peak 1 whose deviation is `widths` times half the window."""
    half = (window - 1) / 2
    t = torch.arange(window, dtype=widths.dtype, device=widths.device) - half
    return torch.exp(-0.5 * (t / (widths[:, None] * half)).square())
