"""Multi-head self-attention along a pattern of blocks, made of Linear leaves."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn.positions import Rotation
from pomona.nn.sparse_attention import SparseAttention
from pomona.nn.sparse_attention_flex import flex_attention_of, is_for_flex
from pomona.nn.sparse_pattern import BlockPattern


class SparseSelfAttention(nn.Module):
    """(batch, time, feature) → the same shape; every step reads the real steps that the pattern lets it read.

    `num_heads` heads of `head_width` each. With `rotary`, positions enter as rotations; without, attention
    knows of order only what the pattern tells. On a GPU long sequences go through FlexAttention, which never
    copies keys; elsewhere, and inside exports and torch.func, blocks of keys are gathered.
    """

    def __init__(
        self, num_features: int, num_heads: int, head_width: int, *, pattern: BlockPattern, rotary: bool
    ):
        super().__init__()
        self.num_heads = num_heads
        self.head_width = head_width
        self.rotation = Rotation(pattern.num_steps, head_width) if rotary else None
        self.project_in = nn.Linear(num_features, 3 * num_heads * head_width)
        self.attention = SparseAttention(pattern)
        self.project_out = nn.Linear(num_heads * head_width, num_features)

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch time feature"]:
        split = self.project_in(x).unflatten(2, (3, self.num_heads, self.head_width)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        if self.rotation is not None:
            query, key = self.rotation(query), self.rotation(key)
        if is_for_flex(query):
            y = flex_attention_of(query, key, value, self.attention.pattern, mask)
        else:
            y = self.attention(query, key, value, mask)
        return self.project_out(y.transpose(1, 2).flatten(2))

    def initialise(self, generator: torch.Generator) -> None:
        """Xavier: what follows is no ReLU."""
        nn.init.xavier_uniform_(self.project_in.weight, generator=generator)
        nn.init.xavier_uniform_(self.project_out.weight, generator=generator)
