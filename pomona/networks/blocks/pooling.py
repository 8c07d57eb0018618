"""Shorter series and smaller images, and back."""

from typing import Literal

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Factor
from pomona.networks.blocks.parts import convolved
from pomona.networks.signal import Signal
from pomona.nn.global_pool import AttentivePool, GlobalPool
from pomona.nn.pooling import SeriesPool
from pomona.nn.resize import Resize, Upsample


def pool(signal: Signal, *, method: Literal["mean", "max", "strided"] = "max", size: Factor = 2) -> nn.Module:
    """One step or pixel for every `size` a side: their mean or max, or a learned depthwise convolution."""
    if method == "strided":
        kernel = size + 1 - size % 2
        return convolved(signal, signal.width, signal.width, kernel, stride=size, groups=signal.width)
    if signal.kind == "series":
        return SeriesPool(method, size)
    if method == "mean":
        return nn.AvgPool2d(size, ceil_mode=True)
    return nn.MaxPool2d(size, ceil_mode=True)


def global_pool(signal: Signal, *, method: Literal["mean", "max", "attentive", "last"] = "mean") -> nn.Module:
    """One vector for an image or a series; "last" is the last real step."""
    if method == "attentive":
        return AttentivePool(signal.width)
    return GlobalPool(method)


def upsample(signal: Signal, *, size: Factor = 2) -> nn.Module:
    """`size` times as many steps or pixels a side, each repeated."""
    return Upsample(size)


def resize(signal: Signal, *, shape: tuple[int, ...]) -> nn.Module:
    """An image at (height, width) or a series of (time,) steps, each the nearest old one."""
    if len(shape) != (2 if signal.kind == "image" else 1):
        raise SpecError(f"argument 'shape' is [height, width] or [time], got {list(shape)} for {signal}")
    return Resize(shape)
