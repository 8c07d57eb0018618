"""Gated dilated convolutions for series (van den Oord et al. 2016, WaveNet) and images."""

from torch import nn

from pomona.networks.arguments import Factor, Kernel, Width
from pomona.networks.blocks.parts import convolved, normed, projected
from pomona.networks.signal import Signal
from pomona.nn.chain import Chain
from pomona.nn.dilated import GatedConvolution
from pomona.nn.normalisation import Norm
from pomona.nn.shortcut import Shortcut


def dilated(
    signal: Signal,
    *,
    width: Width = 32,
    kernel: Kernel = 3,
    dilation: Factor = 2,
    norm: Norm = "group",
    causal: bool = False,
) -> nn.Module:
    """tanh · sigmoid of a convolution with gaps, then a pointwise one, beside a shortcut."""
    gated = convolved(signal, signal.width, 2 * width, kernel, dilation=dilation, causal=causal)
    return Shortcut(
        Chain(
            normed(signal, norm, signal.width),
            GatedConvolution(gated, channel_axis=1 if signal.kind == "image" else 2),
            convolved(signal, width, width),
        ),
        skip=projected(signal, width),
    )
