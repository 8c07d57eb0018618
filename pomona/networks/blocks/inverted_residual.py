"""Inverted residuals (Sandler et al. 2018, MobileNetV2; with squeeze and excite: Howard et al. 2019)."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Factor, Kernel, Width
from pomona.networks.blocks.parts import convolved, normed, projected
from pomona.networks.signal import Signal
from pomona.nn.activation import Activation, activation_named
from pomona.nn.chain import Chain
from pomona.nn.normalisation import Norm
from pomona.nn.shortcut import Shortcut
from pomona.nn.squeeze_excite import SqueezeExcite


def inverted_residual(
    signal: Signal,
    *,
    width: Width = 32,
    expand: Factor = 4,
    kernel: Kernel = 3,
    stride: Factor = 1,
    squeeze: bool = False,
    activation: Activation = "relu",
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """Wider by a pointwise convolution, one depthwise one, and back, beside a shortcut.

    Where the shape changes the shortcut is a 1-wide convolution; the paper has none there.
    """
    if squeeze and causal:
        raise SpecError("squeeze reads the whole series, so it cannot be causal")
    inner = expand * signal.width
    return Shortcut(
        Chain(
            convolved(signal, signal.width, inner),
            normed(signal, norm, inner),
            activation_named(activation),
            convolved(signal, inner, inner, kernel, stride=stride, groups=inner, causal=causal),
            normed(signal, norm, inner),
            activation_named(activation),
            SqueezeExcite(inner, max(1, inner // 8)) if squeeze else nn.Identity(),
            convolved(signal, inner, width),
            normed(signal, norm, width),
        ),
        skip=projected(signal, width, stride),
    )


def squeeze_excite(signal: Signal, *, ratio: Factor = 4) -> nn.Module:
    """Channels scaled by what the whole image or series holds, through 1/`ratio` as many (Hu et al. 2017)."""
    return SqueezeExcite(signal.width, max(1, signal.width // ratio))
