"""Heads: the raw outputs that tasks want, as the table of pomona/tasks/task.py says."""

import math

import torch
from torch import Tensor, nn

from pomona.networks.signal import Signal


class Head(nn.Module):
    """Linear to an array of `shape` for every vector; starts near zero, so that the first loss is that of knowing nothing."""

    def __init__(self, num_features: int, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape
        self.linear = nn.Linear(num_features, math.prod(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).reshape(-1, *self.shape)

    def initialise(self, generator: torch.Generator) -> None:
        """Small weights."""
        nn.init.trunc_normal_(self.linear.weight, std=0.02, generator=generator)


def head(signal: Signal, *, shape: tuple[int, ...]) -> nn.Module:
    """(batch, *shape) from a vector."""
    return Head(signal.width, shape)
