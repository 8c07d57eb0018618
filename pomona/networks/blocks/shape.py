"""Shape adapters: from one kind of signal to another."""

from torch import nn

from pomona.networks.arguments import Factor, Width
from pomona.networks.signal import Signal
from pomona.nn.reshape import AsImage, FlattenSeries, Patches, Rows, Steps


def flatten(signal: Signal) -> nn.Module:
    """All values of an image or series as one vector; steps that are not real are zeros."""
    return FlattenSeries() if signal.kind == "series" else nn.Flatten()


def patches(signal: Signal, *, size: Factor = 4, width: Width = 64) -> nn.Module:
    """An image as a series of embedded `size`×`size` patches, row by row (Dosovitskiy et al. 2020)."""
    return Patches(signal.width, size, width)


def rows(signal: Signal) -> nn.Module:
    """An image as a series of its rows."""
    return Rows()


def steps(signal: Signal, *, size: Width = 1) -> nn.Module:
    """A vector as a series of `size` values a step, zeros added at the end."""
    return Steps(size)


def as_image(signal: Signal) -> nn.Module:
    """A series as an image of one channel, time downwards; steps that are not real are zeros."""
    return AsImage()
