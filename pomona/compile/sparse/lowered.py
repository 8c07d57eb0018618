"""A plan on its way to a program: every step's tasks, and the memory they work in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pomona.compile.sparse.arena import Lifetime, offsets
from pomona.compile.sparse.arrangement import Arrangement, arrange, is_single_pixel
from pomona.compile.sparse.choice import Choice, default_tile, guess
from pomona.compile.sparse.layout import Tile, as_image
from pomona.compile.sparse.lowering.steps import lower
from pomona.compile.sparse.lowering.task import Place, Stage, aligned_bytes
from pomona.compile.sparse.machine import Machine
from pomona.compile.sparse.plan import Plan, without_weights


@dataclass(frozen=True)
class Lowered:
    """A plan, the same with the steps that were added, a stage for each of these, and the tensors' memory."""

    plan: Plan
    arranged: Plan
    stages: Sequence[Stage]
    place: Place
    arena: np.ndarray
    choices: Mapping[str, Choice]


def lower_plan(plan: Plan, *, threads: int, choices: Mapping[str, Choice], machine: Machine) -> Lowered:
    """The plan's tasks for a machine, which need not be this one; see `compile_plan` for `choices`."""
    tiles, chosen = _settled(plan, choices, machine.lanes)
    arrangement = arrange(plan, tiles, machine.lanes)
    place, arena = _place(arrangement, machine, threads)
    stages = [lower(step, place, chosen) for step in arrangement.plan.steps]
    # the weights are packed: what is left of the plans are names and shapes
    kept, arranged = without_weights(plan), without_weights(arrangement.plan)
    return Lowered(kept, arranged, stages, replace(place, plan=arranged), arena, chosen)


def _settled(
    plan: Plan, choices: Mapping[str, Choice], lanes: int
) -> tuple[dict[tuple[int, int], Tile], dict[str, Choice]]:
    """One tile for every size of image that a 1x1 convolution reads, and a choice for every such step."""
    tiles: dict[tuple[int, int], Tile] = {}
    chosen: dict[str, Choice] = {}
    for step in plan.steps:
        if step.op != "pointwise" or is_single_pixel(plan, step):
            continue
        size = as_image(plan.shape(step.output))[1:]
        given = choices.get(step.output)
        tile = tiles.setdefault(size, given.tile if given else default_tile(*size, lanes))
        if given is None or given.tile != tile:
            weight = step.weights["weight"]
            given = guess(weight.reshape(len(weight), -1), *size, lanes, tile)
        chosen[step.output] = given
    return tiles, chosen


def _place(arrangement: Arrangement, machine: Machine, threads: int) -> tuple[Place, np.ndarray]:
    plan = arrangement.plan
    last_step = len(plan.steps)
    touched: dict[str, list[int]] = {name: [] for name in plan.tensors}
    for tensor in plan.inputs:
        touched[tensor.name].append(-1)
    for index, step in enumerate(plan.steps):
        for name in (*step.reads, step.output):
            touched[name].append(index)
    for name in plan.outputs:
        touched[name].append(last_step)
    lifetimes = [
        Lifetime(name, arrangement.layouts[name].size_bytes, min(steps), max(steps))
        for name, steps in touched.items()
        if steps
    ]
    begins, size = offsets(lifetimes)
    arena = aligned_bytes(size)
    addresses = {name: arena.ctypes.data + begin for name, begin in begins.items()}
    return Place(plan, machine, threads, arrangement.layouts, addresses), arena
