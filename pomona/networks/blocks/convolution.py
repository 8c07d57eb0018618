"""Convolutions and residual blocks, for images and series alike."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Kernel, Width
from pomona.networks.signal import Signal
from pomona.nn.activation import Activation
from pomona.nn.activation import activation as activation_named
from pomona.nn.chain import Chain
from pomona.nn.normalisation import Norm, feature_norm, image_norm
from pomona.nn.series_convolution import SeriesConvolution
from pomona.nn.shortcut import Shortcut


def convolution(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    stride: Kernel = 1,
    activation: Activation = "relu",
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """Convolution, normalisation, activation; the output is ⌈size / stride⌉ long."""
    return Chain(
        _convolved(signal, signal.width, width, kernel, stride, causal),
        _normed(signal, norm, width),
        activation_named(activation),
    )


def residual(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    stride: Kernel = 1,
    activation: Activation = "relu",
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """Two convolutions beside a shortcut, which is a 1-wide convolution where the shape changes."""
    keeps_shape = signal.width == width and stride == 1
    return Shortcut(
        Chain(
            _convolved(signal, signal.width, width, kernel, stride, causal),
            _normed(signal, norm, width),
            activation_named(activation),
            _convolved(signal, width, width, kernel, 1, causal),
            _normed(signal, norm, width),
        ),
        skip=None if keeps_shape else _convolved(signal, signal.width, width, 1, stride, causal),
        after=activation_named(activation),
    )


def _convolved(signal: Signal, width: int, new: int, kernel: int, stride: int, causal: bool) -> nn.Module:
    if kernel % 2 == 0 and not causal:
        raise SpecError(f"kernel is odd, got {kernel}")
    if signal.kind == "series":
        return SeriesConvolution(width, new, kernel, stride=stride, causal=causal)
    if causal:
        raise SpecError("causal is for series, an image has no past")
    return nn.Conv2d(width, new, kernel, stride, kernel // 2)


def _normed(signal: Signal, norm: str, width: int) -> nn.Module:
    return image_norm(norm, width) if signal.kind == "image" else feature_norm(norm, width)
