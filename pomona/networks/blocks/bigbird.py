"""A transformer layer whose attention is sparse: time and memory grow with the length, not its square."""

from typing import Annotated

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Dropout, Factor, Range, Width
from pomona.networks.signal import Signal
from pomona.nn.chain import Chain
from pomona.nn.shortcut import Shortcut
from pomona.nn.sparse_pattern import bigbird_pattern
from pomona.nn.sparse_self_attention import SparseSelfAttention

Count = Annotated[int, Range(0, 65536)]


def bigbird(
    signal: Signal,
    *,
    heads: Factor = 4,
    head_width: Factor = 16,
    expand: Factor = 2,
    block_size: Width = 16,
    global_blocks: Count = 2,
    window_blocks: Count = 3,
    random_blocks: Count = 3,
    dropout: Dropout = 0.0,
    rotary: bool = True,
    causal: bool = False,
    seed: Count = 0,
) -> nn.Module:
    """The transformer block with BigBird's attention (Zaheer et al. 2020).

    A few blocks read all and are read by all; the others read the blocks around and random ones, drawn for
    every head from `seed`: layers of one network want seeds of their own.
    """
    if rotary and head_width % 2:
        raise SpecError(f"rotary turns pairs: head_width is even, got {head_width}")
    num_steps, width = signal.shape
    pattern = bigbird_pattern(
        -(-num_steps // block_size),
        block_size=block_size,
        num_global=global_blocks,
        num_window=window_blocks,
        num_random=random_blocks,
        num_heads=heads,
        causal=causal,
        seed=seed,
    )
    attention = SparseSelfAttention(width, heads, head_width, pattern=pattern, rotary=rotary)
    return Chain(
        Shortcut(Chain(nn.LayerNorm(width), attention, nn.Dropout(dropout))),
        Shortcut(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, expand * width),
                nn.GELU(),
                nn.Linear(expand * width, width),
                nn.Dropout(dropout),
            )
        ),
    )
