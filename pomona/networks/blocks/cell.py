"""A cell after NASNet-A."""

from torch import nn

from pomona.networks.arguments import Width
from pomona.networks.signal import Signal
from pomona.nn.cell import Cell
from pomona.nn.normalisation import Norm


def cell(signal: Signal, *, width: Width = 32, norm: Norm = "group") -> nn.Module:
    """Separable convolutions, pools and shortcuts in ten paths, joined (Zoph et al. 2017)."""
    return Cell(signal.width, width, norm)
