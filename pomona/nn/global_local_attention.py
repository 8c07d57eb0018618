"""Global-local attention with relative positions: the layer of ETC (Ainslie et al. 2020).

A few global steps and many long ones in four pieces: global to global, global to long, long to global, and
long to the long ones around. There are two softmaxes, one over all that a long step reads and one over all
that a global step reads. A score is (q·k + q·r[id] + b[id]) / √d, where the id tells how two steps stand to
one another (section 3.2; in the released code the bias b is divided by √d too, as here).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

Long = Float[Tensor, "batch time feature"]
Global = Float[Tensor, "batch global feature"]


@dataclass(frozen=True)
class Structure:
    """Which steps are real and which may read which; None allows all."""

    member: Bool[Tensor, "batch global time"]
    """Whether a long step belongs to a global one, as words do to their sentence."""
    long_mask: Bool[Tensor, "batch time"] | None = None
    global_mask: Bool[Tensor, "batch global"] | None = None
    global_pairs: Bool[Tensor, "batch global other"] | None = None
    """Whether a global step reads another one."""
    local_pairs: Bool[Tensor, "batch time offset"] | None = None
    """Whether a long step reads the one at an offset from -radius to radius."""


class GlobalLocalAttention(nn.Module):
    """Both streams in, both out. Time and memory grow with length · (radius + number of global steps).

    With `hard_down` a global step reads only its own members, with `hard_up` a long step only the global
    steps that it belongs to. Projections are the same for both streams, as in the released default.
    """

    def __init__(
        self,
        num_features: int,
        num_heads: int,
        head_width: int,
        *,
        radius: int,
        max_distance: int = 12,
        hard_down: bool = True,
        hard_up: bool = False,
    ):
        super().__init__()
        self.num_heads, self.head_width = num_heads, head_width
        self.radius, self.max_distance = radius, max_distance
        self.hard_down, self.hard_up = hard_down, hard_up
        self.project_in = nn.Linear(num_features, 3 * num_heads * head_width)
        # distances, then: between a global step and its member, and one that is not its member
        num_ids = 2 * max_distance + 3
        self.relative = nn.Embedding(num_ids, num_heads * head_width)
        self.bias = nn.Embedding(num_ids, num_heads)
        self.project_out = nn.Linear(num_heads * head_width, num_features)

    def forward(self, long: Long, glob: Global, structure: Structure) -> tuple[Long, Global]:
        query, key, value = self._heads(long)
        global_query, global_key, global_value = self._heads(glob)
        member = structure.member
        kinds = torch.where(member, 2 * self.max_distance + 1, 2 * self.max_distance + 2)
        up = self._scores(query, global_key, kinds.transpose(1, 2))
        up = up.masked_fill(~self._up(structure)[:, None], -torch.inf)
        local, values = self._local(query, key, value, structure)
        together = torch.cat((local, up), -1).softmax(-1)
        num_local = local.shape[-1]
        y = torch.einsum("bhtw,bhtwd->bhtd", together[..., :num_local], values)
        y = y + together[..., num_local:] @ global_value
        down = self._scores(global_query, key, kinds).masked_fill(~self._down(structure)[:, None], -torch.inf)
        across = self._scores(global_query, global_key, self._distances(glob.shape[1], glob.device))
        across = across.masked_fill(~_across(structure)[:, None], -torch.inf)
        both = torch.cat((down, across), -1).softmax(-1)
        num_steps = long.shape[1]
        z = both[..., :num_steps] @ value + both[..., num_steps:] @ global_value
        return tuple(self.project_out(part.transpose(1, 2).flatten(2)) for part in (y, z))  # type: ignore[return-value]

    def initialise(self, generator: torch.Generator) -> None:
        """Xavier; relative vectors of deviation 0.5 as released, biases of 0."""
        nn.init.xavier_uniform_(self.project_in.weight, generator=generator)
        nn.init.xavier_uniform_(self.project_out.weight, generator=generator)
        nn.init.trunc_normal_(self.relative.weight, std=0.5, a=-1.0, b=1.0, generator=generator)
        nn.init.zeros_(self.bias.weight)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        split = self.project_in(x).unflatten(2, (3, self.num_heads, self.head_width))
        return split.permute(2, 0, 3, 1, 4).unbind(0)  # type: ignore[return-value]

    def _related(self, query: Tensor) -> Tensor:
        """(batch, head, step, id): what every id adds to a score, before the division."""
        table = self.relative.weight.unflatten(1, (self.num_heads, -1))
        return torch.einsum("bhtd,ihd->bhti", query, table) + self.bias.weight.T[:, None]

    def _scores(self, query: Tensor, key: Tensor, ids: Int[Tensor, "batch query key"]) -> Tensor:
        related = self._related(query)
        batch, num_heads = query.shape[:2]
        chosen = related.gather(3, ids[:, None].expand(batch, num_heads, -1, -1))
        return (query @ key.transpose(-1, -2) + chosen) / self.head_width**0.5

    def _local(
        self, query: Tensor, key: Tensor, value: Tensor, structure: Structure
    ) -> tuple[Tensor, Tensor]:
        """Scores (batch, head, time, offset) of the steps around, and their values."""
        radius, num_steps = self.radius, query.shape[2]
        width = 2 * radius + 1
        # a gather: exporters unroll what torch calls unfold into thousands of slices
        places = torch.arange(num_steps, device=query.device)[:, None] + torch.arange(
            width, device=query.device
        )
        padded = [F.pad(x, (0, 0, radius, radius)).index_select(2, places.flatten()) for x in (key, value)]
        near_key, near_value = (x.unflatten(2, (num_steps, width)) for x in padded)
        offsets = torch.arange(-radius, radius + 1, device=query.device)
        ids = offsets.clamp(-self.max_distance, self.max_distance) + self.max_distance
        scores = torch.einsum("bhtd,bhtwd->bhtw", query, near_key) + self._related(query)[..., ids]
        scores = scores / self.head_width**0.5
        allowed = self._near(num_steps, structure, offsets)
        return scores.masked_fill(~allowed[:, None], -torch.inf), near_value

    def _near(
        self, num_steps: int, structure: Structure, offsets: Tensor
    ) -> Bool[Tensor, "batch time offset"]:
        places = torch.arange(num_steps, device=offsets.device)[:, None] + offsets
        allowed = ((places >= 0) & (places < num_steps))[None]
        if structure.long_mask is not None:
            padded = F.pad(structure.long_mask, (self.radius, self.radius), value=False)
            around = padded.index_select(1, (places + self.radius).flatten()).unflatten(1, places.shape)
            allowed = allowed & around
        if structure.local_pairs is not None:
            allowed = allowed & structure.local_pairs
        # a step always reads itself
        return allowed | (offsets == 0)

    def _up(self, structure: Structure) -> Bool[Tensor, "batch time global"]:
        member = structure.member.transpose(1, 2)
        allowed = member if self.hard_up else torch.ones_like(member)
        return allowed if structure.global_mask is None else allowed & structure.global_mask[:, None, :]

    def _down(self, structure: Structure) -> Bool[Tensor, "batch global time"]:
        allowed = structure.member if self.hard_down else torch.ones_like(structure.member)
        return allowed if structure.long_mask is None else allowed & structure.long_mask[:, None, :]

    def _distances(self, num_global: int, device: torch.device) -> Int[Tensor, "1 query key"]:
        places = torch.arange(num_global, device=device)
        apart = places[None, :] - places[:, None]
        return (apart.clamp(-self.max_distance, self.max_distance) + self.max_distance)[None]


def _across(structure: Structure) -> Bool[Tensor, "batch global other"]:
    num_global = structure.member.shape[1]
    own = torch.eye(num_global, dtype=torch.bool, device=structure.member.device)[None]
    allowed = torch.ones_like(own)
    if structure.global_mask is not None:
        allowed = allowed & structure.global_mask[:, None, :]
    if structure.global_pairs is not None:
        allowed = allowed & structure.global_pairs
    return allowed | own
