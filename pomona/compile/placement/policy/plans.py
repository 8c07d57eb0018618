"""From a policy's actions to plans and their rewards."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.policy.features import Features
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.ranks import upward_rank

LEVEL_STEP = 0.05
"""How far one level moves a node in its default order, as a share of the whole."""
INVALID_REWARD = -10.0
"""The least reward; plans that just miss the memory get more, so that there is a way back."""


@dataclass(frozen=True, eq=False)
class Plans:
    """Several plans as arrays."""

    device: Int32[np.ndarray, "plan node"]
    priority: Float64[np.ndarray, "plan node"]
    cluster: Int32[np.ndarray, "plan node"] | None
    """None: nothing is fused."""
    fusion: Float64[np.ndarray, "plan node"] | None = None
    """The fusion priorities that the clusters came from, where they came from any."""

    def __getitem__(self, index: int) -> Plan:
        nodes = np.arange(self.device.shape[1], dtype=np.int32)
        return Plan(
            self.device[index], self.priority[index], nodes if self.cluster is None else self.cluster[index]
        )


def as_plans(plan: Plan) -> Plans:
    """One plan as a batch of one."""
    return Plans(plan.device[None], plan.priority[None], plan.cluster[None])


def plans_of(
    problem: Problem,
    features: Features,
    tasks: tuple[str, ...],
    actions: Int64[np.ndarray, "plan task unit"],
    num_levels: int,
) -> Plans:
    """What the actions mean. Without the placement task all nodes are where the base placement has them.

    Scheduling: the longest path to the end or the program decides what runs first, a level moves a unit's
    nodes forwards or back by LEVEL_STEP of that order. Fusion: outputs that cost most to write are merged
    first, levels move them likewise; units on the lowest level are not merged into their consumers, nor,
    where the base placement is better off without fusion, those on the middle level or below.
    """
    count, num_nodes = len(actions), problem.graph.num_nodes
    of_node = features.unit_of_node
    middle = num_levels // 2
    by_task = {task: actions[:, index][:, of_node] for index, task in enumerate(tasks)}
    if "placement" in by_task:
        device = by_task["placement"].astype(np.int32)
    else:
        base = features.base[of_node].astype(np.int32)
        device = np.broadcast_to(base, (count, num_nodes))
    program_order = -np.arange(num_nodes, dtype=np.float64)
    priority = np.broadcast_to(program_order, (count, num_nodes))
    if "scheduling" in by_task:
        order = program_order / num_nodes
        if not features.by_program:
            order = np.stack([path_order(problem, row) for row in device])
        priority = order + LEVEL_STEP * (by_task["scheduling"] - middle)
    cluster, fusion = None, None
    if "fusion" in by_task:
        fusion = merge_priority(features, by_task["fusion"], middle)
        cluster = np.stack([fuse(problem, d, p) for d, p in zip(device, fusion, strict=True)])
    return Plans(np.ascontiguousarray(device), np.ascontiguousarray(priority), cluster, fusion)


def merge_priority(
    features: Features, level: Int64[np.ndarray, "*plan node"], middle: int
) -> Float64[np.ndarray, "*plan node"]:
    """Fusion priorities of levels: 0 to a little over 1, -1 for what is not merged into its consumers."""
    order = features.merge_order + LEVEL_STEP * (level - middle)
    return np.where(level <= (0 if features.fuses else middle), -1.0, np.maximum(order, 0.0))


def path_order(problem: Problem, device: Int32[np.ndarray, " node"]) -> Float64[np.ndarray, " node"]:
    """The longest path from each node to the end in this placement, as a share of the critical path."""
    rank = upward_rank(problem, device)
    return rank / max(rank.max(), 1e-9)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the simulator says of several plans."""

    step_us: Float64[np.ndarray, " plan"]
    is_valid: Bool[np.ndarray, " plan"]
    rewards: Float64[np.ndarray, " plan"]


def outcome_of(problem: Problem, plans: Plans, reference_us: float) -> Outcome:
    """Simulates plans. The reward is −√(step / reference), less 1 and 10 × the excess of memory where that
    does not fit (as a share of all memory), never below INVALID_REWARD then.
    """
    scores = evaluate(problem, plans.device, plans.priority, plans.cluster)
    rewards = -np.sqrt(scores.step_us / reference_us)
    excess = np.maximum(scores.peak_bytes - problem.memory_bytes, 0).sum(axis=1) / problem.memory_bytes.sum()
    penalised = np.maximum(rewards - 1 - 10 * excess, INVALID_REWARD)
    return Outcome(scores.step_us, scores.is_valid, np.where(scores.is_valid, rewards, penalised))
