"""Pooling: shorter series and smaller images."""

from typing import Literal

from torch import nn

from pomona.networks.arguments import Factor
from pomona.networks.signal import Signal
from pomona.nn.pooling import GlobalPool, SeriesPool


def pool(signal: Signal, *, method: Literal["max", "mean"] = "max", size: Factor = 2) -> nn.Module:
    """The largest or mean value of every `size` steps or `size`×`size` pixels; what is left over at the end counts too."""
    if signal.kind == "series":
        return SeriesPool(method, size)
    kind = nn.MaxPool2d if method == "max" else nn.AvgPool2d
    extra = {} if method == "max" else {"count_include_pad": False}
    return kind(size, ceil_mode=True, **extra)


def global_pool(signal: Signal, *, method: Literal["mean", "max"] = "mean") -> nn.Module:
    """One vector for an image or a series: the mean or largest value of every channel over what is real."""
    return GlobalPool(method)
