"""Convolution and normalisation for whatever a block reads: an image or a series."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.signal import Signal
from pomona.nn.normalisation import feature_norm, image_norm
from pomona.nn.series_convolution import SeriesConvolution


def convolved(
    signal: Signal,
    old: int,
    new: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    causal: bool = False,
) -> nn.Module:
    """A convolution from `old` to `new` channels. Raises SpecError for an even kernel."""
    if kernel % 2 == 0 and not causal:
        raise SpecError(f"kernel is odd, got {kernel}")
    if signal.kind == "series":
        return SeriesConvolution(
            old, new, kernel, stride=stride, dilation=dilation, groups=groups, causal=causal
        )
    if causal:
        raise SpecError("causal is for series, an image has no past")
    return nn.Conv2d(old, new, kernel, stride, dilation * (kernel // 2), dilation, groups)


def normed(signal: Signal, norm: str, width: int) -> nn.Module:
    """The normalisation of this name for `width` channels."""
    return image_norm(norm, width) if signal.kind == "image" else feature_norm(norm, width)


def projected(signal: Signal, width: int, stride: int = 1) -> nn.Module | None:
    """What a shortcut needs to reach `width` and stride: nothing, or a 1-wide convolution."""
    if signal.width == width and stride == 1:
        return None
    return convolved(signal, signal.width, width, stride=stride)
