"""Convolutions and residual blocks, for images and series alike."""

from torch import nn

from pomona.networks.arguments import Factor, Kernel, Width
from pomona.networks.blocks.parts import convolved, normed, projected
from pomona.networks.signal import Signal
from pomona.nn.activation import Activation, activation_named
from pomona.nn.chain import Chain
from pomona.nn.normalisation import Norm
from pomona.nn.shortcut import Shortcut


def convolution(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    stride: Factor = 1,
    activation: Activation = "relu",
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """Convolution, normalisation, activation; the output is ⌈size / stride⌉ long."""
    return Chain(
        convolved(signal, signal.width, width, kernel, stride=stride, causal=causal),
        normed(signal, norm, width),
        activation_named(activation),
    )


def residual(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    stride: Factor = 1,
    activation: Activation = "relu",
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """Two convolutions beside a shortcut (He et al. 2015), a 1-wide convolution where the shape changes."""
    return Shortcut(
        Chain(
            convolved(signal, signal.width, width, kernel, stride=stride, causal=causal),
            normed(signal, norm, width),
            activation_named(activation),
            convolved(signal, width, width, kernel, causal=causal),
            normed(signal, norm, width),
        ),
        skip=projected(signal, width, stride),
        after=activation_named(activation),
    )
