"""Stochastic depth (Huang et al. 2016): in training a branch is left out for some examples."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class DropPath(nn.Module):
    """Zeros for a share `rate` of the examples and x / (1 - rate) for the others; x itself in evaluation."""

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        if not self.training or not self.rate:
            return x
        ones = torch.ones_like(x[(slice(None), *[slice(1)] * (x.ndim - 1))])
        return x * F.dropout(ones, self.rate)

    def extra_repr(self) -> str:
        return str(self.rate)
