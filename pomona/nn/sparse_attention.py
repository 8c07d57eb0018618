"""Attention along a pattern of blocks, in time and memory that grow with the length and not with its square.

`SparseAttention` gathers the blocks of keys that every block of queries reads, so that dense products do the
work; `dense_attention` is the same by definition, with a mask as large as full attention; the third way,
FlexAttention, is in sparse_attention_flex.py. All three compute the same.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.attention import attention_kernel
from pomona.nn.sparse_pattern import NOTHING, BlockPattern

Heads = Float[Tensor, "batch head time feature"]
Mask = Bool[Tensor, "batch time"] | None


class SparseAttention(nn.Module):
    """Queries, keys and values, (batch, head, time, feature) each, → what every step has read.

    Sequences may be shorter than the pattern: then what lies behind their end falls away. `mask` is true
    where a step is real; what leaves other steps is unspecified but finite.
    """

    keys: Tensor
    is_read: Tensor

    def __init__(self, pattern: BlockPattern):
        super().__init__()
        self.pattern = pattern
        self.rows = tuple(block for block in range(pattern.num_blocks) if block not in pattern.full)
        keys = pattern.keys[:, list(self.rows)]
        self.is_packed = bool((keys != NOTHING).all())
        # torch.tensor rather than from_numpy: it obeys the meta device
        self.register_buffer("keys", torch.tensor(np.maximum(keys, 0).tolist()), persistent=False)
        self.register_buffer("is_read", torch.tensor((keys != NOTHING).tolist()), persistent=False)

    def forward(self, query: Heads, key: Heads, value: Heads, mask: Mask = None) -> Heads:
        num_steps, size = query.shape[2], self.pattern.block_size
        num_blocks = -(-num_steps // size)
        behind = num_blocks * size - num_steps
        if behind:
            query, key, value = (F.pad(x, (0, 0, 0, behind)) for x in (query, key, value))
            mask = _padded(mask, query.shape[0], num_steps, behind, query.device)
        if mask is not None:
            # an example without a real step reads everything: a softmax over nothing would be NaN
            mask = mask | ~mask.any(1, keepdim=True)
        rows = [row for row in self.rows if row < num_blocks]
        full = [block for block in self.pattern.full if block < num_blocks]
        parts = []
        if rows:
            parts.append(self._sparse(query, key, value, mask, rows))
        if full:
            parts.append(self._full(query, key, value, mask, full))
        return _in_order(parts, [*rows, *full])[:, :, :num_steps]

    @property
    def num_pairs(self) -> int:
        """Pairs of a query and a key that are multiplied over the whole length, for one head."""
        full = len(self.pattern.full) * self.pattern.num_blocks
        return (full + self.keys[0].numel()) * self.pattern.block_size**2

    def _sparse(self, query: Heads, key: Heads, value: Heads, mask: Mask, rows: list[int]) -> Tensor:
        """(batch, head, row, step, feature) of the blocks that read a few others."""
        num_heads, size = query.shape[1], self.pattern.block_size
        num_blocks = query.shape[2] // size
        keys, is_read = self.keys[:, : len(rows)], self.is_read[:, : len(rows)]
        if num_blocks < self.pattern.num_blocks:
            is_read = is_read & (keys < num_blocks)
            keys = keys.clamp(max=num_blocks - 1)
        gathered = [_gathered(x.unflatten(2, (num_blocks, size)), keys) for x in (key, value)]
        chosen = _chosen(query.unflatten(2, (num_blocks, size)), rows)
        allowed = self._allowed(keys, is_read, mask, rows, num_blocks)
        if allowed is not None:
            allowed = allowed.expand(-1, num_heads, -1, -1, -1).flatten(1, 2)
        with attention_kernel():
            y = F.scaled_dot_product_attention(chosen.flatten(1, 2), *gathered, attn_mask=allowed)
        return y.unflatten(1, (num_heads, len(rows)))

    def _allowed(
        self, keys: Tensor, is_read: Tensor, mask: Mask, rows: list[int], num_blocks: int
    ) -> Tensor | None:
        """(batch or 1, head or 1, row, step or 1, slot · step) where something is not to be read, or None."""
        size = self.pattern.block_size
        if mask is None and self.is_packed and num_blocks == self.pattern.num_blocks:
            allowed = None
        else:
            allowed = is_read[None, :, :, None, :, None].expand(-1, -1, -1, -1, -1, size)
            if mask is not None:
                real = mask.unflatten(1, (num_blocks, size))
                real = real.index_select(1, keys.flatten()).unflatten(1, keys.shape)
                allowed = allowed & real[:, :, :, None]
                # a block that reads no real step is not real itself
                allowed = allowed | ~allowed.flatten(4).any(-1)[..., None, None]
        if self.pattern.causal:
            is_own = is_read & (keys == torch.tensor(rows, device=keys.device)[:, None])
            past = torch.ones(size, size, dtype=torch.bool, device=keys.device).tril()
            own = is_own[None, :, :, None, :, None]
            allowed = ~own | past[:, None] if allowed is None else allowed & (~own | past[:, None])
            # a step that is not real has itself to read
            allowed = allowed | own & torch.eye(size, dtype=torch.bool, device=keys.device)[:, None]
        return None if allowed is None else allowed.flatten(4)

    def _full(self, query: Heads, key: Heads, value: Heads, mask: Mask, full: list[int]) -> Tensor:
        """(batch, head, block, step, feature) of the blocks that read all."""
        size = self.pattern.block_size
        chosen = _chosen(query.unflatten(2, (-1, size)), full)
        allowed = None if mask is None else mask[:, None, None, :]
        if self.pattern.causal:
            steps = torch.arange(query.shape[2], device=query.device)
            own = _chosen(steps.view(1, 1, -1, size), full).view(-1, 1)
            allowed = own >= steps if allowed is None else allowed & (own >= steps) | (own == steps)
        with attention_kernel():
            y = F.scaled_dot_product_attention(chosen.flatten(2, 3), key, value, attn_mask=allowed)
        return y.unflatten(2, (len(full), size))


def dense_attention(
    query: Heads, key: Heads, value: Heads, pattern: BlockPattern, mask: Mask = None
) -> Heads:
    """The same by definition: a softmax over all steps, each counted as often as the pattern reads it."""
    num_steps, size = query.shape[2], pattern.block_size
    counts = torch.tensor(pattern.counts().tolist(), dtype=query.dtype, device=query.device)
    counts = counts.repeat_interleave(size, 1).repeat_interleave(size, 2)[:, :num_steps, :num_steps]
    if pattern.causal:
        counts = counts.tril()
    if mask is not None:
        counts = counts * mask[:, None, None, :]
        # nothing real is read: everything is, so that the softmax is finite
        counts = torch.where(counts.sum(-1, keepdim=True) > 0, counts, 1.0)
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + counts.log()
    return scores.softmax(-1) @ value


def _padded(mask: Mask, batch: int, num_steps: int, behind: int, device: torch.device) -> Tensor:
    if mask is None:
        mask = torch.ones(batch, num_steps, dtype=torch.bool, device=device)
    return F.pad(mask, (0, behind), value=False)


def _gathered(blocks: Float[Tensor, "batch head block step feature"], keys: Tensor) -> Tensor:
    """(batch, head · row, slot · step, feature): the blocks that every row reads, one after another."""
    num_heads, num_blocks = blocks.shape[1:3]
    # the batch is named nowhere: exporters take its size in a reshape for a constant
    if keys.shape[0] == 1:
        found = blocks.index_select(2, keys.flatten()).unflatten(2, keys.shape[1:]).flatten(1, 2)
    else:
        heads = torch.arange(num_heads, device=keys.device)[:, None, None] * num_blocks
        found = blocks.flatten(1, 2).index_select(1, (keys + heads).flatten())
        found = found.unflatten(1, (num_heads * keys.shape[1], keys.shape[2]))
    return found.flatten(2, 3)


def _chosen(blocks: Tensor, places: list[int]) -> Tensor:
    """The blocks at these places of axis 2, without a copy where they follow one another."""
    if places == list(range(places[0], places[0] + len(places))):
        return blocks.narrow(2, places[0], len(places))
    return blocks.index_select(2, torch.tensor(places, device=blocks.device))


def _in_order(parts: list[Tensor], places: list[int]) -> Heads:
    """The parts as one sequence, each block at its place."""
    together = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
    if places != sorted(places):
        order = torch.tensor(np.argsort(places).tolist(), device=together.device)
        together = together.index_select(2, order)
    return together.flatten(2, 3)
