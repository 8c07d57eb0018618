"""Multi-head self-attention made of Linear leaves, so that whatever works on Linear works on it."""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from pomona.nn.positions import Rotation


class SelfAttention(nn.Module):
    """(batch, time, feature) → the same shape; every step reads all real steps, or with `causal` none later.

    `num_heads` heads of `head_width` each, independent of the number of features. With `num_steps`, positions
    enter as rotations; without, attention is blind to order.
    """

    def __init__(
        self,
        num_features: int,
        num_heads: int,
        head_width: int,
        *,
        num_steps: int | None,
        causal: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.num_heads = num_heads
        self.head_width = head_width
        self.causal = causal
        self.dropout = dropout
        self.rotation = None if num_steps is None else Rotation(num_steps, head_width)
        self.project_in = nn.Linear(num_features, 3 * num_heads * head_width)
        self.project_out = nn.Linear(num_heads * head_width, num_features)

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch time feature"]:
        query, key, value = self._projected(x)
        allowed = None if mask is None else self._allowed(mask)
        is_causal = self.causal and mask is None
        rate = self.dropout if self.training else 0.0
        with attention_kernel():
            y = F.scaled_dot_product_attention(query, key, value, allowed, rate, is_causal)
        return self.project_out(y.transpose(1, 2).flatten(2))

    def weights(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch head query key"]:
        """How much each step reads of each other one; every row sums to 1."""
        query, key, _ = self._projected(x)
        real = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if mask is None else mask
        scores = query @ key.transpose(2, 3) * self.head_width**-0.5
        return scores.masked_fill(~self._allowed(real), -torch.inf).softmax(3)

    def initialise(self, generator: torch.Generator) -> None:
        """Xavier: what follows is no ReLU."""
        nn.init.xavier_uniform_(self.project_in.weight, generator=generator)
        nn.init.xavier_uniform_(self.project_out.weight, generator=generator)

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (batch, head, time, feature) each."""
        split = self.project_in(x).unflatten(2, (3, self.num_heads, self.head_width)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        if self.rotation is not None:
            query, key = self.rotation(query), self.rotation(key)
        return query, key, value

    def _allowed(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch 1 query key"]:
        num_steps = mask.shape[1]
        keys = mask[:, None, None, :].expand(-1, 1, num_steps, num_steps)
        if self.causal:
            keys = keys & torch.ones(num_steps, num_steps, dtype=torch.bool, device=mask.device).tril()
        # a step always reads itself: without any real step a softmax over nothing would be NaN
        return keys | torch.eye(num_steps, dtype=torch.bool, device=mask.device)


def attention_kernel() -> AbstractContextManager:
    """Plain matrix products inside torch.func transforms: fused kernels have no rule for a member axis."""
    return sdpa_kernel(SDPBackend.MATH) if torch._C._are_functorch_transforms_active() else nullcontext()
