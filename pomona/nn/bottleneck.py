"""The residual unit of Big Transfer: normalised first, narrow in its middle (He et al. 2016, ResNet-v2)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.standardised_convolution import StandardisedConvolution


class Bottleneck(nn.Module):
    """shortcut + f(x), a quarter as wide inside; normalisation by groups, standardised kernels.

    Where width or stride change, the shortcut is a convolution of what was normalised. `groups` is the most
    there are, of two or more channels each.
    """

    def __init__(self, num_channels: int, width: int, stride: int, groups: int):
        super().__init__()
        inner = width // 4
        self.first_norm = _norm(num_channels, groups)
        self.narrow = _convolution(num_channels, inner, 1)
        self.second_norm = _norm(inner, groups)
        self.spatial = _convolution(inner, inner, 3, stride)
        self.third_norm = _norm(inner, groups)
        self.widen = _convolution(inner, width, 1)
        changes = stride > 1 or width != num_channels
        self.skip = _convolution(num_channels, width, 1, stride) if changes else None

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch new high wide"]:
        normed = F.relu(self.first_norm(x))
        y = self.spatial(F.relu(self.second_norm(self.narrow(normed))))
        y = self.widen(F.relu(self.third_norm(y)))
        return y + (x if self.skip is None else self.skip(normed))


def _norm(num_channels: int, groups: int) -> nn.GroupNorm:
    most = max(1, min(groups, num_channels // 2))
    return nn.GroupNorm(max(g for g in range(1, most + 1) if num_channels % g == 0), num_channels)


def _convolution(old: int, new: int, kernel: int, stride: int = 1) -> StandardisedConvolution:
    return StandardisedConvolution(nn.Conv2d(old, new, kernel, stride, kernel // 2, bias=False))
