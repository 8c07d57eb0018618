"""Blocks of Big Transfer (Kolesnikov et al. 2019): ResNet-v2 with groups and standardised kernels."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Factor, Kernel, Width
from pomona.networks.signal import Signal
from pomona.nn.bottleneck import Bottleneck
from pomona.nn.standardised_convolution import StandardisedConvolution


def bottleneck(signal: Signal, *, width: Width = 64, stride: Factor = 1, groups: Factor = 8) -> nn.Module:
    """Pointwise to a quarter of `width`, 3 × 3, and back, normalised first, beside a shortcut."""
    if width % 4:
        raise SpecError(f"argument 'width' is a multiple of 4, got {width}")
    return Bottleneck(signal.width, width, stride, groups)


def standardised_convolution(
    signal: Signal, *, width: Width = 64, kernel: Kernel = 3, stride: Factor = 1
) -> nn.Module:
    """A convolution with standardised kernels, without bias, normalisation or activation."""
    if kernel % 2 == 0:
        raise SpecError(f"kernel is odd, got {kernel}")
    convolution = nn.Conv2d(signal.width, width, kernel, stride, kernel // 2, bias=False)
    return StandardisedConvolution(convolution)
