"""The two layers of mobile networks: a convolution without bias, and the linear bottleneck (Sandler 2018)."""

from typing import Literal

from torch import nn

from pomona.networks.arguments import Factor, Kernel, Width
from pomona.networks.signal import Signal
from pomona.nn.activation import activation_named
from pomona.nn.chain import Chain
from pomona.nn.normalisation import Norm, image_norm
from pomona.nn.shortcut import Shortcut

MobileActivation = Literal["relu6", "relu", "silu", "none"]


def mobile_convolution(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    stride: Factor = 1,
    depthwise: bool = False,
    activation: MobileActivation = "relu6",
    norm: Norm = "group",
) -> nn.Module:
    """Convolution without bias, normalisation, activation. A depthwise one keeps the width it reads."""
    new = signal.width if depthwise else width
    return Chain(*_layer(signal.width, new, kernel, stride, depthwise, norm), activation_named(activation))


def linear_bottleneck(
    signal: Signal,
    *,
    width: Width = 32,
    expand: Factor = 6,
    kernel: Kernel = 3,
    stride: Factor = 1,
    activation: MobileActivation = "relu6",
    norm: Norm = "group",
) -> nn.Module:
    """Wider by a pointwise convolution, one depthwise one, and back without activation.

    What goes in is added where the shape stays; nothing is widened where `expand` is 1.
    """
    inner = expand * signal.width
    widen = [*_layer(signal.width, inner, 1, 1, False, norm), activation_named(activation)]
    inside = Chain(
        *(widen if expand > 1 else []),
        *_layer(inner, inner, kernel, stride, True, norm),
        activation_named(activation),
        *_layer(inner, width, 1, 1, False, norm),
    )
    return Shortcut(inside) if stride == 1 and width == signal.width else inside


def _layer(old: int, new: int, kernel: int, stride: int, depthwise: bool, norm: str) -> list[nn.Module]:
    groups = new if depthwise else 1
    convolution = nn.Conv2d(old, new, kernel, stride, kernel // 2, groups=groups, bias=norm == "none")
    return [convolution, image_norm(norm, new)]
