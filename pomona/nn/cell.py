"""A cell of many paths after NASNet-A (Zoph et al. 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.normalisation import image_norm


class Cell(nn.Module):
    """(batch, channels, height, width) → `width` channels at the same size.

    The pairs of NASNet-A's normal cell, except that both of its inputs are made from one (two pointwise
    convolutions), a separable convolution is applied once instead of twice, and a pointwise convolution
    joins the five sums, so that the output is as wide as asked for.
    """

    def __init__(self, num_channels: int, width: int, norm: str):
        super().__init__()
        self.current = _pointwise(num_channels, width, norm)
        self.previous = _pointwise(num_channels, width, norm)
        self.near_current = _separable(width, 3, norm)
        self.near_previous = _separable(width, 3, norm)
        self.far_current = _separable(width, 5, norm)
        self.far_previous = _separable(width, 5, norm)
        self.near_again = _separable(width, 3, norm)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.join = _pointwise(5 * width, width, norm)

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch new height width"]:
        current, previous = self.current(x), self.previous(x)
        pooled = self.pool(previous)
        sums = (
            self.near_current(current) + current,
            self.near_previous(previous) + self.far_current(current),
            self.pool(current) + previous,
            pooled + pooled,
            self.far_previous(previous) + self.near_again(previous),
        )
        return self.join(torch.cat(sums, 1))


def _pointwise(num_channels: int, width: int, norm: str) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(num_channels, width, 1), image_norm(norm, width), nn.ReLU())


def _separable(width: int, kernel: int, norm: str) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width),
        nn.Conv2d(width, width, 1),
        image_norm(norm, width),
    )
