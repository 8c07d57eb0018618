"""How far training moved the learned numbers of front ends: filters, windows, the constants of sPCEN."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.front_end import FrontEnd
from pomona.nn.gabor import GaborFilters
from pomona.nn.low_pass import GaussianWindows
from pomona.nn.pcen import STARTS, Pcen
from pomona.nn.sinc import SincFilters


@dataclass(frozen=True, eq=False)
class Movement:
    """One learned number of every filter, at the start and now, in `unit`."""

    quantity: str
    unit: str
    start: Float[np.ndarray, " filter"]
    now: Float[np.ndarray, " filter"]

    @property
    def share(self) -> float:
        """The median change, as a share of the start."""
        return float(np.median(np.abs(self.now / self.start - 1)))

    @property
    def most(self) -> float:
        """The largest change, as a share of the start."""
        return float(np.max(np.abs(self.now / self.start - 1)))


@torch.no_grad()
def filter_movements(network: nn.Module, rate: int) -> list[Movement]:
    """What the first front end in `network` learned, for sounds of `rate` samples a second.

    Empty for a network without a front end, or with one whose numbers have no name, such as free filters.
    """
    front_end = next((part for part in network.modules() if isinstance(part, FrontEnd)), None)
    found: list[Movement] = []
    for part in front_end.modules() if front_end is not None else ():
        if isinstance(part, GaborFilters):
            found += _of_gabors(part, rate)
        elif isinstance(part, SincFilters):
            low, high = part.edges_hz()
            first = part.start_low + 50.0
            found.append(_movement("lower edge", "Hz", first, low))
            found.append(_movement("upper edge", "Hz", first + part.start_band + 50.0, high))
        elif isinstance(part, GaussianWindows):
            half_ms = 500 * (part.window - 1) / rate
            found.append(_movement("window", "ms", part.start * half_ms, part.widths() * half_ms))
        elif isinstance(part, Pcen):
            now = part.constants()
            found += [_movement(name, "", getattr(part, f"start_{name}"), now[name]) for name in STARTS]
    return found


def _of_gabors(part: GaborFilters, rate: int) -> list[Movement]:
    to_hz = rate / (2 * torch.pi)
    # the deviation of a Gaussian of s samples is 1 / s radians a sample in frequency
    return [
        _movement("centre", "Hz", part.start_centers * to_hz, part.centers() * to_hz),
        _movement("bandwidth", "Hz", to_hz / part.start_widths, to_hz / part.widths()),
    ]


def _movement(quantity: str, unit: str, start: Tensor, now: Tensor) -> Movement:
    return Movement(quantity, unit, *(tensor.double().cpu().numpy() for tensor in (start, now)))
