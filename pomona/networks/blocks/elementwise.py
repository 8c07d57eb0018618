"""What keeps every shape: normalisation, dropout, activation."""

from torch import nn

from pomona.networks.arguments import Dropout
from pomona.networks.blocks.parts import normed
from pomona.networks.signal import Signal
from pomona.nn.activation import Activation, activation_named
from pomona.nn.normalisation import Norm


def normalisation(signal: Signal, *, norm: Norm = "group") -> nn.Module:
    """Normalises channels or features; of a series, every step for itself."""
    return normed(signal, norm, signal.width)


def dropout(signal: Signal, *, rate: Dropout = 0.2, channels: bool = False) -> nn.Module:
    """Zeroes a `rate` of the values while training; with `channels`, whole channels of an image."""
    return nn.Dropout2d(rate) if channels and signal.kind == "image" else nn.Dropout(rate)


def activation(signal: Signal, *, name: Activation = "relu") -> nn.Module:
    """An activation by name."""
    return activation_named(name)
