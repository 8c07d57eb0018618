"""Last layers. They start near zero, so that the first loss is that of knowing nothing."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.resize import Resize

DEVIATION = 0.02


class Head(nn.Module):
    """(batch, feature) → (batch, *shape) by one linear layer."""

    def __init__(self, num_features: int, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape
        self.linear = nn.Linear(num_features, math.prod(shape))

    def forward(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch ..."]:
        return self.linear(x).reshape(-1, *self.shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Small weights."""
        nn.init.trunc_normal_(self.linear.weight, std=DEVIATION, generator=generator)


class StepHead(nn.Module):
    """(batch, time, feature) → (batch, time, classes), the same linear layer at every step."""

    def __init__(self, num_features: int, num_classes: int):
        super().__init__()
        self.linear = nn.Linear(num_features, num_classes)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time class"]:
        return self.linear(x)

    def initialise(self, generator: torch.Generator) -> None:
        """Small weights."""
        nn.init.trunc_normal_(self.linear.weight, std=DEVIATION, generator=generator)


class PixelHead(nn.Module):
    """(batch, channel, height, width) → (batch, classes, *size): a pointwise convolution, then bilinear."""

    def __init__(self, num_channels: int, num_classes: int, size: tuple[int, int]):
        super().__init__()
        self.convolution = nn.Conv2d(num_channels, num_classes, 1)
        self.resize = Resize(size, "bilinear")

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch class high wide"]:
        y = self.convolution(x)
        return y if y.shape[2:] == self.resize.shape else self.resize(y)

    def initialise(self, generator: torch.Generator) -> None:
        """Small weights."""
        nn.init.trunc_normal_(self.convolution.weight, std=DEVIATION, generator=generator)
