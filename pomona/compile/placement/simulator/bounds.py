"""What no plan can beat: the longest path, the work there is, and the memory that is needed at least.

A step may fuse operations: fusing drops launches and traffic, never calculation. So a node is charged
λ · (its FLOPs) + (1 − λ) · (the traffic that no fusion drops), for several λ, and a launch when it is heavy,
since at most one heavy operation is in a cluster. A cluster takes the larger of the sums of both, plus a
launch, which is at least that. Without fusion a node is charged its whole time. Transfers cost nothing here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.tables import Tables, tables_of

SHARES_OF_CALCULATION = (1.0, 0.75, 0.5, 0.25, 0.0)
WEIGHING_STEPS = 60


@dataclass(frozen=True)
class Bounds:
    """Lower bounds that hold for every plan whose clusters keep the rules of `fuse`."""

    critical_path_us: float
    work_us: float
    """All work spread over all devices, or the largest colocation group on its best device."""
    memory_bytes: float
    """Over all devices together: stored and resident data and the largest single operation."""
    lower_us: float


def bounds(problem: Problem, *, can_fuse: bool = True) -> Bounds:
    """The bounds of a problem; tighter when plans that fuse are left out."""
    tables = tables_of(problem)
    path_us = work_us = 0.0
    for charge in _charges(problem, tables, can_fuse):
        path_us = max(path_us, _longest_path(problem, charge.min(axis=0)))
        work_us = max(work_us, _least_makespan(problem, charge))
    kept = problem.graph.resident_bytes.sum() + problem.graph.output_bytes[problem.graph.is_stored].sum()
    return Bounds(path_us, work_us, float(kept + _largest_output(tables)), max(path_us, work_us))


def _charges(problem: Problem, tables: Tables, can_fuse: bool) -> list[Float64[np.ndarray, "device node"]]:
    if not can_fuse:
        return [tables.run_us]
    runs = ~tables.is_free
    num_nodes, is_item = problem.graph.num_nodes, tables.item_of >= 0
    read = np.where(tables.is_stored[tables.source], 0.0, tables.output_bytes[tables.source])
    written = np.bincount(tables.item_of[is_item], tables.output_bytes[is_item], num_nodes)
    droppable = np.bincount(tables.target, read, num_nodes) + tables.output_bytes + written
    traffic = np.where(runs, np.maximum(tables.traffic_bytes - droppable, 0.0), 0.0)
    moving_us = traffic / tables.bytes_per_us[:, None]
    launch_us = tables.launch_us[:, None] * tables.is_heavy
    calculate_us = np.where(runs, tables.calculate_us, 0.0)
    return [share * calculate_us + (1 - share) * moving_us + launch_us for share in SHARES_OF_CALCULATION]


def _longest_path(problem: Problem, charge: Float64[np.ndarray, " node"]) -> float:
    from pomona.compile.placement.simulator.ranks import longest_to_end

    tables = tables_of(problem)
    return float(longest_to_end(tables.out_starts, tables.target, charge, np.zeros(len(tables.target))).max())


def _least_makespan(problem: Problem, charge: Float64[np.ndarray, "device node"]) -> float:
    """The dual of sharing groups out over devices: Σ min_d weight_d · charge_d for any weights that sum to 1.

    Weights move towards the busier devices for a fixed number of steps; each gives a bound, the best counts.
    """
    groups, of_group = np.unique(problem.graph.groups, return_inverse=True)
    loads = np.stack([np.bincount(of_group, row, len(groups)) for row in charge])
    best = float(loads.min(axis=0).max())
    weights = np.full(len(loads), 1.0 / len(loads))
    for step in range(WEIGHING_STEPS):
        costs = weights[:, None] * loads
        best = max(best, float(costs.min(axis=0).sum()))
        chosen = np.argmin(costs, axis=0)
        busy = np.bincount(chosen, loads[chosen, np.arange(loads.shape[1])], len(loads))
        if busy.max() <= 0 or np.ptp(loads, axis=0).max() == 0:
            break
        weights = weights * np.exp(busy / busy.max() / (1 + step) ** 0.5)
        weights /= weights.sum()
    return best


def _largest_output(tables: Tables) -> float:
    runs = ~tables.is_free
    return float(tables.output_bytes[runs].max()) if runs.any() else 0.0
