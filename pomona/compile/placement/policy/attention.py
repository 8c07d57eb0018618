"""Attention over long sequences, a segment at a time: each sees itself and the one before."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class RecurrentAttention(nn.Module):
    """A pre-norm attention block whose keys are a segment and the one before, whose gradient is stopped.

    As Transformer-XL, without positions: within a segment the order of rows does not matter. What a layer
    keeps is its input, so that all segments run at once; memory grows with rows × segment.
    `modulation` scales the input of both parts: the article's feature modulation, x ← layer(m · x).
    """

    def __init__(self, width: int, heads: int, segment: int):
        super().__init__()
        self.heads, self.segment = heads, segment
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.mix_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(
        self, x: Float[Tensor, "batch unit width"], modulation: Float[Tensor, " width"]
    ) -> Float[Tensor, "batch unit width"]:
        x = x + self._attend(self.attention_norm(x) * modulation)
        return x + self.narrow(F.gelu(self.widen(self.mix_norm(x) * modulation)))

    def _attend(self, x: Float[Tensor, "batch unit width"]) -> Float[Tensor, "batch unit width"]:
        batch, count, width = x.shape
        length = min(self.segment, count)
        num_segments = -(-count // length)
        padded = F.pad(x, (0, 0, 0, num_segments * length - count))
        rows = padded.reshape(batch * num_segments, length, width)
        keys = rows if num_segments == 1 else _with_memory(rows, batch)
        query = self._split(self.query(rows))
        key, value = (self._split(part) for part in self.key_value(keys).chunk(2, dim=-1))
        mask = (
            None
            if num_segments * length == count and num_segments == 1
            else _mask(batch, num_segments, length, count, x.device)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch, num_segments * length, width)[:, :count]
        return self.out(mixed)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _with_memory(rows: Tensor, batch: int) -> Tensor:
    """Each segment after the one before it, which gets no gradient; the first has zeros (they are masked)."""
    apart = rows.unflatten(0, (batch, -1))
    memory = F.pad(apart[:, :-1].detach(), (0, 0, 0, 0, 1, 0))
    return torch.cat([memory, apart], dim=2).flatten(0, 1)


def _mask(batch: int, num_segments: int, length: int, count: int, device: torch.device) -> Tensor:
    """True where a segment may look: not before the first row, not after the last."""
    place = torch.arange(num_segments, device=device)[:, None] * length
    offset = torch.arange(-length if num_segments > 1 else 0, length, device=device)[None, :]
    seen = (place + offset >= 0) & (place + offset < count)
    return seen.repeat(batch, 1)[:, None, None, :].expand(-1, 1, length, -1)
