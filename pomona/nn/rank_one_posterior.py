"""Rank-1 weights that are drawn from a law of their own (Dusenberry et al. 2020)."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.rank_one import RankOne

Law = Literal["normal", "cauchy"]

PRIOR_SCALE = 0.1


class RankOnePosterior(nn.Module):
    """`RankOne` whose entries of r and s are drawn anew at every use in training, and stand still otherwise.

    Each entry has a location and a scale of its own. Its prior has scale 0.1 around the sign that the entry
    started with, which is 1 but for random signs.
    """

    def __init__(
        self, network: nn.Module, num_members: int, random_sign: float, seed: int, *, law: Law, scale: float
    ):
        super().__init__()
        self.law: Law = law
        self.location = RankOne(network, num_members, random_sign, seed)
        self.log_scale = nn.ParameterDict()
        for part, entries in self._entries():
            for key, start in entries.items():
                name = f"{part}/{key}"
                self.log_scale[name] = nn.Parameter(torch.full_like(start, math.log(scale)))
                self.register_buffer(f"center/{name}", start.detach().sign())

    def forward(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of every member, (member, *shape) each."""
        return self.drawn(weights) if self.training else self.location(weights)

    def drawn(
        self, weights: Mapping[str, Tensor], generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """One draw of every member's weights."""
        entries = {
            f"{part}.{key}": location
            + self.log_scale[f"{part}/{key}"].exp() * standard(self.law, location, generator)
            for part, found in self._entries()
            for key, location in found.items()
        }
        return torch.func.functional_call(self.location, entries, (weights,))

    def divergence(self, weights: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Kullback and Leibler's divergence from the prior, in nats, the mean over members."""
        divergences = [
            DIVERGENCES[self.law](
                location, self.log_scale[f"{part}/{key}"].exp(), getattr(self, f"center/{part}/{key}")
            ).sum()
            for part, found in self._entries()
            for key, location in found.items()
        ]
        return torch.stack(divergences).sum() / self.location.num_members

    def _entries(self) -> list[tuple[str, nn.ParameterDict]]:
        return [("inward", self.location.inward), ("outward", self.location.outward)]


def standard(law: Law, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws of the law with location 0 and scale 1; of Cauchy's the outermost millionths are cut."""
    if law == "normal":
        return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)
    place = torch.rand(like.shape, dtype=like.dtype, device=like.device, generator=generator)
    return torch.tan(math.pi * (place.clamp(1e-6, 1 - 1e-6) - 0.5))


def normal_divergence(location: Tensor, scale: Tensor, center: Tensor) -> Tensor:
    """From a normal law to one with scale 0.1 around `center`, in nats."""
    square = (scale**2 + (location - center) ** 2) / PRIOR_SCALE**2
    return (square - 1) / 2 - torch.log(scale / PRIOR_SCALE)


def cauchy_divergence(location: Tensor, scale: Tensor, center: Tensor) -> Tensor:
    """From a Cauchy law to one with scale 0.1 around `center` (Chyzak and Nielsen 2019), in nats."""
    square = (scale + PRIOR_SCALE) ** 2 + (location - center) ** 2
    return torch.log(square / (4 * scale * PRIOR_SCALE))


DIVERGENCES = {"normal": normal_divergence, "cauchy": cauchy_divergence}
