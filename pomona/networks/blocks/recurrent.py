"""LSTM and GRU over a series."""

from torch import nn

from pomona.networks.arguments import Width
from pomona.networks.signal import Signal
from pomona.nn.recurrent import Recurrent


def lstm(signal: Signal, *, width: Width = 64, bidirectional: bool = False) -> nn.Module:
    """A long short-term memory (Hochreiter and Schmidhuber 1997); `bidirectional` gives 2·width features."""
    return Recurrent("lstm", signal.width, width, bidirectional=bidirectional)


def gru(signal: Signal, *, width: Width = 64, bidirectional: bool = False) -> nn.Module:
    """A gated recurrent unit (Cho et al. 2014); `bidirectional` gives 2·width features."""
    return Recurrent("gru", signal.width, width, bidirectional=bidirectional)
