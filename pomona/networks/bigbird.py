"""BigBird as published (Zaheer et al. 2020): BERT's layers with sparse attention, for thousands of tokens.

For networks that are searched, pruned or fitted from nothing there is the block `bigbird`; this is the model
that checkpoints are for, with normalisation after every sum and learned positions.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pomona.foundation.errors import SettingError
from pomona.nn.chain import Chain
from pomona.nn.shortcut import Shortcut
from pomona.nn.sparse_pattern import BlockPattern, bigbird_pattern, full_pattern
from pomona.nn.sparse_pattern_release import OLD_LENGTHS, release_pattern
from pomona.nn.sparse_self_attention import SparseSelfAttention
from pomona.nn.start import initialise

PORT_LENGTHS = tuple(length for length in OLD_LENGTHS if length != 2048)


@dataclass(frozen=True)
class BigBirdSettings:
    """Sizes of a BigBird; the defaults are those of the published base model."""

    num_steps: int = 4096
    """Tokens of the longest input it is built for; blocks are drawn for this length."""

    num_positions: int = 4096
    """Positions that have an embedding, at least `num_steps`."""

    num_tokens: int = 50358
    num_types: int = 2
    width: int = 768
    num_layers: int = 12
    num_heads: int = 12
    inner_width: int = 3072
    block_size: int = 64
    num_random: int = 3
    activation: Literal["gelu_new", "gelu", "relu"] = "gelu_new"
    norm_epsilon: float = 1e-12
    dropout: float = 0.1
    attention: Literal["sparse", "full"] = "sparse"

    faithful: Literal["no", "release", "port"] = "no"
    """Where random blocks come from: the whole sequence, as the paper says; the released code's plan; or
    block 0 again and again, as Hugging Face's port has it in evaluation."""

    rescale: bool = False
    """Whether embeddings of tokens are multiplied by the square root of the width."""

    use_bias: bool = True
    """Whether queries, keys and values have a bias."""

    checkpointing: bool = False
    """Whether training computes layers a second time instead of keeping what is inside them."""

    def __post_init__(self) -> None:
        if self.num_steps > self.num_positions:
            raise SettingError(
                f"num_steps is at most num_positions, got {self.num_steps} of {self.num_positions}"
            )
        if self.width % self.num_heads:
            raise SettingError(f"width is a multiple of num_heads, got {self.width} and {self.num_heads}")


class BigBirdEncoder(nn.Module):
    """Tokens (batch, time) → (batch, time, width); `mask` is true where a token is real."""

    def __init__(self, settings: BigBirdSettings):
        super().__init__()
        self.settings = settings
        self.tokens = nn.Embedding(settings.num_tokens, settings.width)
        self.positions = nn.Embedding(settings.num_positions, settings.width)
        self.types = nn.Embedding(settings.num_types, settings.width)
        self.norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(bigbird_layer(settings, index) for index in range(settings.num_layers))

    def forward(
        self,
        tokens: Int[Tensor, "batch time"],
        mask: Bool[Tensor, "batch time"] | None = None,
        types: Int[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, "batch time feature"]:
        x = self.tokens(tokens)
        if self.settings.rescale:
            x = x * self.settings.width**0.5
        x = x + self.types(torch.zeros_like(tokens) if types is None else types)
        x = x + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        x = self.norm(self.dropout(x))
        for layer in self.layers:
            if self.settings.checkpointing and self.training:
                x = checkpoint(layer, x, mask, use_reentrant=False)
            else:
                x = layer(x, mask)
        return x


def bigbird_layer(settings: BigBirdSettings, index: int) -> Chain:
    """Attention, then a dense layer, each beside a shortcut and normalised after it."""
    pattern = layer_pattern(settings, index)
    width, num_heads = settings.width, settings.num_heads
    attention = SparseSelfAttention(width, num_heads, width // num_heads, pattern=pattern, rotary=False)
    return Chain(after_sum(settings, attention), after_sum(settings, dense_branch(settings)))


def layer_pattern(settings: BigBirdSettings, index: int) -> BlockPattern:
    """What blocks read in the layer of this number; every block all where the release falls back to that."""
    num_blocks = -(-settings.num_steps // settings.block_size)
    is_short = settings.faithful != "no" and num_blocks <= 5 + 2 * settings.num_random
    if settings.attention == "full" or is_short:
        return full_pattern(num_blocks, block_size=settings.block_size)
    if settings.faithful == "no":
        return bigbird_pattern(
            num_blocks,
            block_size=settings.block_size,
            num_random=settings.num_random,
            num_heads=settings.num_heads,
            seed=index,
        )
    return release_pattern(
        num_blocks,
        block_size=settings.block_size,
        num_random=settings.num_random,
        num_heads=settings.num_heads,
        seed=index,
        max_steps=settings.num_positions,
        old_lengths=OLD_LENGTHS if settings.faithful == "release" else PORT_LENGTHS,
        is_drawn=settings.faithful == "release",
    )


def after_sum(settings: BigBirdSettings, branch: nn.Module) -> Shortcut:
    """norm(x + branch(x))."""
    norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
    return Shortcut(Chain(branch, nn.Dropout(settings.dropout)), after=norm)


def dense_branch(settings: BigBirdSettings) -> nn.Sequential:
    """Out to the inner width and back."""
    return nn.Sequential(
        nn.Linear(settings.width, settings.inner_width),
        activation_of(settings),
        nn.Linear(settings.inner_width, settings.width),
    )


def activation_of(settings: BigBirdSettings) -> nn.Module:
    """The activation; "gelu_new" is GELU by its approximation with tanh."""
    if settings.activation == "relu":
        return nn.ReLU()
    return nn.GELU(approximate="tanh" if settings.activation == "gelu_new" else "none")


def start(module: nn.Module, seed: int) -> None:
    """First weights as BERT's: all matrices and embeddings normal with deviation 0.02."""
    initialise(module, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                part.weight.normal_(0.0, 0.02, generator=generator)
