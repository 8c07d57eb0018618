"""Vectors beside series: a vector at every step, a step as a vector, steps in groups."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Beside(nn.Module):
    """(batch, time, feature), then vectors (batch, width) → (batch, time, feature + widths)."""

    def forward(self, x: Float[Tensor, "batch time feature"], *vectors: Tensor) -> Tensor:
        spread = [vector.unsqueeze(1).expand(-1, x.shape[1], -1) for vector in vectors]
        return torch.cat((x, *spread), 2)


class LastStep(nn.Module):
    """(batch, time, feature) → (batch, feature), the last step."""

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch feature"]:
        return x[:, -1]


class SeriesPatches(nn.Module):
    """(batch, time, feature) → (batch, ⌈time / size⌉, width): `size` steps each, made one vector.

    Where time is no multiple of the size, zeros stand before the first step.
    """

    def __init__(self, num_features: int, size: int, width: int):
        super().__init__()
        self.size = size
        self.linear = nn.Linear(num_features * size, width)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch patch width"]:
        padded = F.pad(x, (0, 0, -x.shape[1] % self.size, 0))
        return self.linear(padded.unflatten(1, (-1, self.size)).flatten(2))
