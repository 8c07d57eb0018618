"""A transformer layer."""

from typing import Annotated

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Dropout, Factor, Range, Width
from pomona.networks.signal import Signal
from pomona.nn.attention import SelfAttention
from pomona.nn.chain import Chain
from pomona.nn.drop_path import DropPath
from pomona.nn.scale import Scale
from pomona.nn.shortcut import Shortcut


def transformer(
    signal: Signal,
    *,
    heads: Factor = 4,
    head_width: Width = 16,
    expand: Factor = 2,
    dropout: Dropout = 0.0,
    attention_dropout: Dropout = 0.0,
    drop_path: Dropout = 0.0,
    layer_scale: bool = False,
    epsilon: Annotated[float, Range(0.0, 0.1)] = 1e-5,
    rotary: bool = True,
    causal: bool = False,
) -> nn.Module:
    """Attention, then a dense layer `expand` times as wide, both normalised first and beside shortcuts.

    Vaswani et al. 2017 with the normalisation before (Xiong et al. 2020) and positions as rotations; without
    them it is the layer of vision transformers. `drop_path` is the share of examples for which a branch is
    left out in training, `layer_scale` a learned factor for every channel of a branch, `epsilon` what
    normalisations add to variances.
    """
    if rotary and head_width % 2:
        raise SpecError(f"rotary turns pairs: head_width is even, got {head_width}")
    width, inner = signal.width, expand * signal.width
    num_steps = signal.shape[0] if rotary else None
    attention = SelfAttention(
        width, heads, head_width, num_steps=num_steps, causal=causal, dropout=attention_dropout
    )
    dense = (nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
    first, second = (_end(width, dropout, layer_scale, drop_path) for _ in range(2))
    return Chain(
        Shortcut(Chain(nn.LayerNorm(width, epsilon), attention, *first)),
        Shortcut(nn.Sequential(nn.LayerNorm(width, epsilon), *dense, *second)),
    )


def _end(width: int, dropout: float, layer_scale: bool, drop_path: float) -> list[nn.Module]:
    """What a branch ends with: the two latter where they are wanted."""
    scale, drop = [Scale(width)] * layer_scale, [DropPath(drop_path)] * (drop_path > 0)
    return [nn.Dropout(dropout), *scale, *drop]
