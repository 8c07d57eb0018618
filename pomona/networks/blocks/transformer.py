"""A transformer layer."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Dropout, Factor
from pomona.networks.signal import Signal
from pomona.nn.attention import SelfAttention
from pomona.nn.chain import Chain
from pomona.nn.shortcut import Shortcut


def transformer(
    signal: Signal,
    *,
    heads: Factor = 4,
    head_width: Factor = 16,
    expand: Factor = 2,
    dropout: Dropout = 0.0,
    rotary: bool = True,
    causal: bool = False,
) -> nn.Module:
    """Attention, then a dense layer `expand` times as wide, both normalised first and beside shortcuts.

    Vaswani et al. 2017 with the normalisation before (Xiong et al. 2020) and positions as rotations.
    """
    if rotary and head_width % 2:
        raise SpecError(f"rotary turns pairs: head_width is even, got {head_width}")
    num_steps = signal.shape[0] if rotary else None
    width, inner = signal.width, expand * signal.width
    attention = SelfAttention(width, heads, head_width, num_steps=num_steps, causal=causal)
    return Chain(
        Shortcut(Chain(nn.LayerNorm(width), attention, nn.Dropout(dropout))),
        Shortcut(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, inner),
                nn.GELU(),
                nn.Linear(inner, width),
                nn.Dropout(dropout),
            )
        ),
    )
