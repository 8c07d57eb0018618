"""What a search decides, and what a decision costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int32

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import compiled_play, evaluate
from pomona.compile.placement.simulator.ranks import upward_rank

OVERFLOW_WEIGHT = 4.0
"""How many steps a whole device's memory of overflow weighs."""
ANY_OVERFLOW_WEIGHT = 0.3
"""What any overflow weighs beside, so that a little of it never pays."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """A plan, and the fusion priorities that its clusters came from."""

    device: Int32[np.ndarray, " node"]
    priority: Float64[np.ndarray, " node"]
    cluster: Int32[np.ndarray, " node"]
    fusion: Float64[np.ndarray, " node"]

    @property
    def plan(self) -> Plan:
        return Plan(self.device, self.priority, self.cluster)


@dataclass(frozen=True, eq=False)
class Judged:
    """Decisions with what they cost; `trace` and `transfers` are the simulator's."""

    decisions: Decisions
    step_us: float
    overflow: float
    """Bytes beyond each device's memory, in parts of it, summed; 0 for a valid plan."""
    trace: Any
    transfers: Any

    @property
    def objective(self) -> float:
        """The step, made longer by what overflows, so that a search finds its way back into memory."""
        if self.overflow == 0:
            return self.step_us
        return self.step_us * (1.0 + ANY_OVERFLOW_WEIGHT + OVERFLOW_WEIGHT * self.overflow)

    @property
    def key(self) -> tuple[float, float]:
        """Less is better: what fits first, then what is quick."""
        return (self.overflow, self.step_us)


def judged(problem: Problem, decisions: Decisions) -> Judged:
    """The cost of decisions whose clusters are in order."""
    from pomona.compile.placement.simulator.tables import tables_of

    play = compiled_play()
    step_us, _, trace, transfers = play(
        tables_of(problem), decisions.device, decisions.priority, decisions.cluster
    )
    over = np.maximum(trace.peak_bytes / problem.memory_bytes - 1.0, 0.0).sum()
    return Judged(decisions, step_us, float(over), trace, transfers)


def first_decisions(
    problem: Problem,
    start: Plan,
    decided: tuple[str, ...],
    fusion: Float64[np.ndarray, " node"] | None = None,
) -> Judged:
    """The best of the start and the usual orders and fusions on its devices, as far as they are decided.

    `fusion` holds the priorities that the start's clusters came from; without them some are made up. Where
    none fits in memory and devices are decided, devices are repaired first.
    """
    from pomona.compile.placement.baselines.finish import repaired

    device = np.array(start.device, np.int32)
    best = _on_devices(problem, start, device, decided, fusion)
    if best.overflow > 0 and "placement" in decided:
        other = _on_devices(problem, start, repaired(problem, device), decided, fusion)
        best = min(best, other, key=lambda one: one.key)
    return best


def quick_start(problem: Problem, generator: np.random.Generator) -> Plan:
    """The best plan of the quick baselines."""
    from pomona.compile.placement.baselines import BASELINES

    plans = [
        BASELINES[name](problem, generator)
        for name in ("single", "metis", "human-style")
        if name in BASELINES
    ]
    scores = evaluate(problem, *(np.stack([getattr(p, f) for p in plans]) for f in ("device", "priority")))
    over = np.maximum(scores.peak_bytes / problem.memory_bytes - 1.0, 0.0).sum(axis=1)
    return plans[int(np.lexsort((scores.step_us, over))[0])]


def _on_devices(
    problem: Problem,
    start: Plan,
    device: Int32[np.ndarray, " node"],
    decided: tuple[str, ...],
    start_fusion: Float64[np.ndarray, " node"] | None,
) -> Judged:
    num_nodes = problem.graph.num_nodes
    program_order = -np.arange(num_nodes, dtype=np.float64)
    alone, fusion = np.arange(num_nodes, dtype=np.int32), np.array(problem.graph.output_bytes)
    orders, clusters = [program_order], [(alone, np.full(num_nodes, -1.0))]
    if "scheduling" in decided:
        orders = [np.array(start.priority), upward_rank(problem, device), program_order]
    if "fusion" in decided:
        clusters.append((fuse(problem, device, fusion), fusion))
        if np.array_equal(device, start.device):
            cluster = np.array(start.cluster)
            clusters.append((cluster, _reading(problem, cluster) if start_fusion is None else start_fusion))
    some = [Decisions(device, order, *pair) for order in orders for pair in clusters]
    return min((judged(problem, one) for one in some), key=lambda one: one.key)


def _reading(problem: Problem, cluster: Int32[np.ndarray, " node"]) -> Float64[np.ndarray, " node"]:
    """Priorities from which much the same clusters come: nodes with a reader in their own are fused."""
    source, target = problem.graph.edges.T
    is_fused = np.zeros(len(cluster), np.bool_)
    is_fused[source[cluster[source] == cluster[target]]] = True
    return np.where(is_fused, problem.graph.output_bytes, -1.0)
