"""Attention of one series to another, made of Linear leaves."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.attention import attention_kernel


class CrossAttention(nn.Module):
    """(batch, time, feature), (batch, memory, other) → the first one's shape.

    Every step of the first series reads all steps of the second; what it reads is added to it.
    """

    def __init__(self, num_features: int, num_other: int, num_heads: int, head_width: int):
        super().__init__()
        self.num_heads = num_heads
        width = num_heads * head_width
        self.norm = nn.LayerNorm(num_features)
        self.query = nn.Linear(num_features, width)
        self.key_value = nn.Linear(num_other, 2 * width)
        self.project_out = nn.Linear(width, num_features)

    def forward(
        self, x: Float[Tensor, "batch time feature"], memory: Float[Tensor, "batch memory other"]
    ) -> Float[Tensor, "batch time feature"]:
        query = self.query(self.norm(x)).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        key, value = self.key_value(memory).unflatten(2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        with attention_kernel():
            read = F.scaled_dot_product_attention(query, key, value)
        return x + self.project_out(read.transpose(1, 2).flatten(2))

    def initialise(self, generator: torch.Generator) -> None:
        """Xavier, as in self-attention."""
        for layer in (self.query, self.key_value, self.project_out):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
