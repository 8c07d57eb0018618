"""The ways in which a network becomes sparse while it is trained: one function each, in one table.

A function says which entries of a weight are kept, at the start and whenever it is decided anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pomona.compile.pruning.patterns import Pattern, as_rows, block_means, from_rows, highest, kept
from pomona.compile.pruning.schedule import cosine, cubic
from pomona.compile.pruning.settings import PruneSettings
from pomona.foundation.errors import SettingError

Mask = Bool[Tensor, "out *axes"]


@dataclass(frozen=True, eq=False)
class Moment:
    """One weight at the moment at which its zeros are decided."""

    weight: Float[Tensor, "out *axes"]
    gradient: Float[Tensor, "out *axes"] | None
    """Of all entries, those that are zero included; None at the start."""
    mask: Mask
    """The entries that were kept until now."""
    density: float
    """The share that is kept in the end."""
    pattern: Pattern
    progress: float
    """Share of the way from the first decision to the last."""
    drop: float
    """Share that is exchanged at first."""
    generator: torch.Generator
    """Its own for every weight and step."""


@dataclass(frozen=True)
class Method:
    """A way to become sparse."""

    start: Callable[[Moment], Mask]
    update: Callable[[Moment], Mask] | None
    """None where the zeros of the start stay."""
    is_gradual: bool = False
    """Whether the sparsity is reached only at the last decision."""
    from_dense: bool = True
    """Whether it starts from trained weights where it is given none."""
    has_groups: bool = True
    """Whether it can keep N of M."""
    end: float = 0.7
    """Share of the steps after which zeros stay where they are, unless the user says otherwise."""


def everything(moment: Moment) -> Mask:
    """All entries."""
    return torch.ones_like(moment.mask)


def largest(moment: Moment) -> Mask:
    """The entries of the largest magnitude; blocks count by their squares."""
    return kept(moment.weight.double().square(), moment.density, moment.pattern)


def largest_for_now(moment: Moment) -> Mask:
    """Those of the largest magnitude, as many as the cubic schedule leaves at this moment."""
    density = 1 - cubic(1 - moment.density, moment.progress)
    return kept(moment.weight.double().square(), density, moment.pattern)


def drawn(moment: Moment) -> Mask:
    """Entries at random."""
    scores = torch.rand(moment.weight.shape, generator=moment.generator, dtype=torch.float64)
    return kept(scores.to(moment.weight.device), moment.density, moment.pattern)


def rigged(moment: Moment) -> Mask:
    """RigL: the smallest are dropped, and as many of the zeros with the largest gradient come in their place.

    Evci et al. 2020, Rigging the Lottery, algorithm 1. As in its released code a dropped entry may come back,
    and then keeps its value.
    """
    assert moment.gradient is not None
    return _exchanged(moment, moment.gradient.double().square())


def evolved(moment: Moment) -> Mask:
    """Sparse evolutionary training (Mocanu et al. 2018): the smallest are dropped, others grow at random."""
    scores = torch.rand(moment.weight.shape, generator=moment.generator, dtype=torch.float64)
    return _exchanged(moment, scores.to(moment.weight.device))


METHODS: dict[str, Method] = {
    "magnitude": Method(everything, largest_for_now, is_gradual=True, end=0.3),
    "one-shot": Method(largest, None),
    "rigl": Method(drawn, rigged, from_dense=False, has_groups=False),
    "set": Method(drawn, evolved, from_dense=False, has_groups=False),
}
"""Name → method."""


def span(settings: PruneSettings) -> tuple[float, float]:
    """Shares of the steps at which pruning begins and ends; by the method where no end is given.

    Raises SettingError when it would end before it begins.
    """
    end = METHODS[settings.method].end if settings.end is None else settings.end
    if settings.start >= end:
        raise SettingError(
            f"start must be below {end:g}, the end of {settings.method}, got {settings.start:g}: give --end"
        )
    return settings.start, end


def _exchanged(moment: Moment, growth: Tensor) -> Mask:
    """The mask after dropping the smallest active blocks and growing those of the highest `growth`."""
    block, shape = moment.pattern.block, moment.mask.shape
    worth, growth, mask = (
        block_means(as_rows(tensor, moment.pattern).double(), block).reshape(-1)
        for tensor in (moment.weight.square(), growth, moment.mask)
    )
    is_active = mask > 0
    num_active = int(is_active.sum())
    num_dropped = round(cosine(moment.drop, moment.progress) * num_active)
    stays = highest(torch.where(is_active, worth, -1.0), num_active - num_dropped)
    grows = highest(
        torch.where(stays, -1.0, growth), min(num_dropped, stays.numel() - num_active + num_dropped)
    )
    rows = as_rows(moment.mask, moment.pattern).shape
    found = (stays | grows).reshape(-1, rows[1]).repeat_interleave(block, dim=0)[: rows[0]]
    return from_rows(found, shape, moment.pattern)
