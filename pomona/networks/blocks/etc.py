"""A layer of ETC over a series: words around, and a summary of every stretch that all others see."""

from typing import Annotated

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.networks.arguments import Dropout, Factor, Range
from pomona.networks.signal import Signal
from pomona.nn.global_local_attention import GlobalLocalAttention, Structure
from pomona.nn.masks import blank

Radius = Annotated[int, Range(1, 4096)]


def etc(
    signal: Signal,
    *,
    heads: Factor = 4,
    head_width: Factor = 16,
    expand: Factor = 2,
    radius: Radius = 8,
    stretch: Radius = 16,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Global-local attention (Ainslie et al. 2020): every `stretch` steps share a global one, their mean.

    Two rounds: stretches are summed up, summaries read one another, steps read summaries and the `radius`
    steps on either side.
    """
    return EtcLayer(signal.width, heads, head_width, expand, radius=radius, stretch=stretch, dropout=dropout)


class EtcLayer(nn.Module):
    """(batch, time, feature) → the same shape."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        head_width: int,
        expand: int,
        *,
        radius: int,
        stretch: int,
        dropout: float,
    ):
        super().__init__()
        self.stretch = stretch
        self.norm = nn.LayerNorm(width)
        self.attention = GlobalLocalAttention(width, num_heads, head_width, radius=radius)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, expand * width), nn.GELU(), nn.Linear(expand * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch time feature"]:
        structure = stretches(x, mask, self.stretch)
        glob = self._means(blank(x, mask), structure)
        _, summary = self.attention(self.norm(x), self.norm(glob), structure)
        glob = glob + summary
        read, _ = self.attention(self.norm(x), self.norm(glob), structure)
        x = x + self.dropout(read)
        return x + self.dropout(self.dense(x))

    def _means(self, x: Tensor, structure: Structure) -> Float[Tensor, "batch stretch feature"]:
        """The mean of every stretch over its real steps."""
        num_stretches = structure.member.shape[1]
        whole = F.pad(x, (0, 0, 0, num_stretches * self.stretch - x.shape[1]))
        count = structure.member.sum(2, keepdim=True).to(x.dtype)
        return whole.unflatten(1, (num_stretches, self.stretch)).sum(2) / count.clamp(min=1.0)

    def initialise(self, generator: torch.Generator) -> None:
        """The dense branch adds nothing yet."""
        nn.init.zeros_(self.dense[3].weight)  # type: ignore[arg-type]


def stretches(x: Tensor, mask: Bool[Tensor, "batch time"] | None, stretch: int) -> Structure:
    """The structure in which every `stretch` steps in a row belong to one global step."""
    batch, num_steps = x.shape[:2]
    groups = torch.arange(num_steps, device=x.device) // stretch
    numbers = torch.arange(-(-num_steps // stretch), device=x.device)
    member = (groups == numbers[:, None]).expand(batch, -1, -1)
    if mask is None:
        return Structure(member)
    member = member & mask[:, None, :]
    return Structure(member, mask, member.any(2))
