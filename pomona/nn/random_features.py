"""Random features of a Gaussian kernel, and a head that is linear in them (Rahimi and Recht 2007)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.head import DEVIATION


class RandomFeatures(nn.Module):
    """(batch, feature) → (batch, num_random) features φ whose products φ(x) · φ(y) are close to the kernel.

    The kernel is exp(-|x - y|² / (2 · feature · length_scale²)). Directions are orthogonal in groups as large
    as there are features (Yu et al. 2016), which makes products closer to it than independent ones do.
    """

    directions: Tensor
    phases: Tensor

    def __init__(self, num_features: int, num_random: int, length_scale: float, generator: torch.Generator):
        super().__init__()
        self.length_scale = length_scale
        self.register_buffer("directions", orthogonal_normal(num_random, num_features, generator))
        self.register_buffer("phases", 2 * math.pi * torch.rand(num_random, generator=generator))

    def forward(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch random"]:
        num_random, num_features = self.directions.shape
        scaled = x / (self.length_scale * math.sqrt(num_features))
        return math.sqrt(2 / num_random) * torch.cos(scaled @ self.directions.T + self.phases)


class GaussianProcessHead(nn.Module):
    """(batch, feature) → (batch, *shape), linear in random features: the mean of a Gaussian process.

    `covariance` is that of the weights of each output, zero until somebody has computed it.
    """

    covariance: Tensor

    def __init__(
        self,
        num_features: int,
        shape: tuple[int, ...],
        *,
        num_random: int,
        length_scale: float,
        generator: torch.Generator,
    ):
        super().__init__()
        self.shape = shape
        self.features = RandomFeatures(num_features, num_random, length_scale, generator)
        self.linear = nn.Linear(num_random, math.prod(shape))
        nn.init.trunc_normal_(self.linear.weight, std=DEVIATION, generator=generator)
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("covariance", torch.zeros(num_random, num_random))

    def forward(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch ..."]:
        return self.linear(self.features(x)).reshape(-1, *self.shape)

    def variance(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, " batch"]:
        """Of each output, before noise."""
        features = self.features(x)
        return ((features @ self.covariance) * features).sum(1)


def orthogonal_normal(
    num_rows: int, num_columns: int, generator: torch.Generator
) -> Float[Tensor, "row column"]:
    """Rows that look normal one by one and are orthogonal in groups of `num_columns`."""
    groups = []
    for _ in range(-(-num_rows // num_columns)):
        square = torch.randn(num_columns, num_columns, generator=generator)
        groups.append(torch.linalg.qr(square).Q)
    lengths = torch.randn(num_rows, num_columns, generator=generator).norm(dim=1)
    return torch.cat(groups)[:num_rows] * lengths[:, None]
