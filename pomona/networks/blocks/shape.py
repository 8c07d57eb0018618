"""Shape adapters: from one kind of signal to another."""

from torch import nn

from pomona.networks.signal import Signal


def flatten(signal: Signal) -> nn.Module:
    """All values of an image or series as one vector."""
    return nn.Flatten()
