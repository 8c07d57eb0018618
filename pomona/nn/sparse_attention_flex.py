"""Sparse attention through FlexAttention: on a GPU a kernel that reads keys where they are, without a copy.

The block mask is made from the same static list as everything else, never by looking at all pairs of steps.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from pomona.nn.sparse_pattern import BlockPattern

Heads = Float[Tensor, "batch head time feature"]

KERNEL_BLOCK = 128
"""Steps that the kernel takes or leaves together; smaller blocks of a pattern are sorted out inside."""

LEAST_STEPS = 2048
"""Shorter sequences are as fast gathered."""

KERNEL_WIDTHS = (16, 32, 64, 128, 256)


def is_for_flex(query: Heads) -> bool:
    """Whether the compiled kernel is the better way for such queries, here and now."""
    return (
        query.is_cuda
        and query.shape[2] >= LEAST_STEPS
        and query.shape[3] in KERNEL_WIDTHS
        and not torch.compiler.is_exporting()
        and not torch._C._are_functorch_transforms_active()
    )


def flex_attention_of(
    query: Heads,
    key: Heads,
    value: Heads,
    pattern: BlockPattern,
    mask: Bool[Tensor, "batch time"] | None = None,
    *,
    is_compiled: bool = True,
) -> Heads:
    """What `SparseAttention` computes. Uncompiled it is a reference as large as full attention."""
    num_heads, num_steps = query.shape[1:3]
    counts = pattern.shortened(-(-num_steps // pattern.block_size)).counts()
    table = torch.tensor(counts.tolist(), device=query.device)
    block_mask = static_block_mask(pattern, counts, table, num_steps, num_heads, mask)
    score = _counted(table.to(query.dtype), pattern) if counts.max() > 1 else None
    attention = _compiled() if is_compiled else flex_attention
    return attention(query, key, value, score_mod=score, block_mask=block_mask)  # type: ignore[return-value]


def static_block_mask(
    pattern: BlockPattern,
    counts: Int[np.ndarray, "head query key"],
    table: Int[Tensor, "head query key"],
    num_steps: int,
    num_heads: int,
    mask: Bool[Tensor, "batch time"] | None,
) -> BlockMask:
    """The kernel's blocks that hold something to be read, and the rule for single steps inside them."""
    coarse = _coarse(counts > 0, pattern.block_size, num_steps)
    coarse = np.broadcast_to(coarse, (num_heads, *coarse.shape[1:]))[None]
    numbers = coarse.sum(-1)
    order = np.argsort(~coarse, axis=-1, kind="stable")
    size, is_shared = pattern.block_size, len(counts) == 1

    def rule(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        allowed = table[0 if is_shared else head, query // size, key // size] > 0
        if pattern.causal:
            allowed = allowed & (query >= key)
        return allowed if mask is None else allowed & mask[batch, key]

    return BlockMask.from_kv_blocks(
        torch.tensor(numbers.tolist(), dtype=torch.int32, device=table.device),
        torch.tensor(order.tolist(), dtype=torch.int32, device=table.device),
        BLOCK_SIZE=KERNEL_BLOCK,
        mask_mod=rule,
        seq_lengths=(num_steps, num_steps),
    )


def _coarse(
    is_read: Bool[np.ndarray, "head query key"], size: int, num_steps: int
) -> Bool[np.ndarray, "head q k"]:
    """Which of the kernel's blocks hold steps of blocks that are read."""
    starts = np.arange(-(-num_steps // KERNEL_BLOCK)) * KERNEL_BLOCK
    first = starts // size
    last = (np.minimum(starts + KERNEL_BLOCK, num_steps) - 1) // size
    found = is_read
    for axis in (1, 2):
        places = [found.take(np.arange(a, b + 1), axis).any(axis) for a, b in zip(first, last, strict=True)]
        found = np.stack(places, axis)
    return found


def _counted(table: Float[Tensor, "head query key"], pattern: BlockPattern) -> Callable[..., Tensor]:
    """Adds to a score the logarithm of how often it counts."""
    logs, size, is_shared = table.clamp(min=1).log(), pattern.block_size, len(table) == 1

    def score(value: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return value + logs[0 if is_shared else head, query // size, key // size]

    return score


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., Tensor]:
    return torch.compile(flex_attention, dynamic=False)  # type: ignore[return-value]
