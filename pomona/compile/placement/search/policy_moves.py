"""Moves that a policy proposes: fusion or order of a stretch of the step, drawn anew by its chances."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float64, Int64
from torch import Tensor

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.policy.features import Features
from pomona.compile.placement.policy.plans import LEVEL_STEP, merge_priority
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Decisions
from pomona.compile.placement.search.neighbourhoods import Move, View

SHIFTS = (0.2, 1.0)
"""Parts of the policy's own step of order by which a move shifts."""


@dataclass(frozen=True, eq=False)
class Advice:
    """What the policy says of every unit: sums of its chances of each level, for what it was asked about."""

    features: Features
    sums: dict[str, Float64[np.ndarray, "unit level"]]

    def stretch(self, task: str, generator: np.random.Generator) -> Int64[np.ndarray, " node"]:
        """The drawn level of each node of a stretch of units, -1 elsewhere."""
        sums = self.sums[task]
        count, most = sums.shape[0], sums.shape[1] - 1
        length = int(np.exp(generator.uniform(0, np.log(max(count // 2, 2)))))
        first = int(generator.integers(count))
        units = np.arange(first, min(first + length, count))
        level = np.full(count, -1)
        level[units] = np.minimum((generator.random(len(units))[:, None] > sums[units]).sum(axis=1), most)
        return level[self.features.unit_of_node]


def advice_of(features: Features, tasks: tuple[str, ...], log_probs: list[Tensor]) -> Advice:
    """The policy's answer in the form that moves draw from."""
    chances = [one.exp().double().numpy() for one in log_probs]
    return Advice(features, {task: np.cumsum(one, axis=1) for task, one in zip(tasks, chances, strict=True)})


def policy_moves(advice: Advice) -> dict[str, Move]:
    """A move for fusion and one for the order, as far as the policy was asked about them."""

    moves = {"fusion": _fused, "scheduling": _ordered}
    units = advice.features.num_units
    return {f"policy {task} {units}": partial(moves[task], advice) for task in moves if task in advice.sums}


def in_bytes(fusion: Float64[np.ndarray, " node"], problem: Problem) -> Float64[np.ndarray, " node"]:
    """A policy's fusion priorities in the unit of the search's own, which are bytes."""
    return fusion * problem.graph.output_bytes.max()


def _fused(advice: Advice, view: View, generator: np.random.Generator) -> Decisions | None:
    here = view.here.decisions
    level = advice.stretch("fusion", generator)
    wanted = merge_priority(advice.features, level, advice.sums["fusion"].shape[1] // 2)
    fusion = np.where(level < 0, here.fusion, in_bytes(wanted, view.problem))
    if np.array_equal(fusion, here.fusion):
        return None
    return replace(here, cluster=fuse(view.problem, here.device, fusion), fusion=fusion)


def _ordered(advice: Advice, view: View, generator: np.random.Generator) -> Decisions | None:
    here = view.here.decisions
    level = advice.stretch("scheduling", generator)
    shift = np.where(level < 0, 0, level - advice.sums["scheduling"].shape[1] // 2)
    if not shift.any():
        return None
    step = np.ptp(here.priority) * LEVEL_STEP * generator.choice(SHIFTS)
    return replace(here, priority=here.priority + step * shift)
