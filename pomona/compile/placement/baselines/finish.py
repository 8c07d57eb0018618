"""From placements to a plan: memory repaired where it overflows, the better of two orders, the best one."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.ranks import upward_rank
from pomona.compile.placement.tasks import Tasks, tasks_of

REPAIR_ROUNDS = 60
REPAIR_TASKS = 400


def finished(problem: Problem, placements: Iterable[Int[np.ndarray, " node"]]) -> Plan:
    """The best plan from several placements, nothing fused.

    Each is tried in program order and by the longest way to the end; the shortest step that fits in memory
    wins, else the one that overflows least (`evaluate` then says that it is not valid).
    """
    program_order = -np.arange(problem.graph.num_nodes, dtype=np.float64)
    nodes = np.arange(problem.graph.num_nodes)
    best: tuple[tuple[float, float], Plan] | None = None
    for placement in placements:
        placement = repaired(problem, together(problem, placement))
        orders = np.stack([upward_rank(problem, placement), program_order])
        scores = evaluate(problem, np.stack([placement] * 2), orders)
        overflow = np.maximum(scores.peak_bytes - problem.memory_bytes, 0.0).sum(axis=1)
        for row in range(2):
            key = (float(overflow[row]), float(scores.step_us[row]))
            if best is None or key < best[0]:
                best = (key, Plan(placement, orders[row], nodes))
    assert best is not None
    return best[1]


def together(problem: Problem, placement: Int[np.ndarray, " node"]) -> Int[np.ndarray, " node"]:
    """The placement with each colocation group on the device that has most of its work already."""
    _, group = np.unique(problem.graph.groups, return_inverse=True)
    num_groups, num_devices = int(group.max()) + 1, problem.num_devices
    weight = problem.run_us.mean(axis=0) + 1e-9
    votes = np.bincount(group * num_devices + placement, weight, num_groups * num_devices)
    return np.argmax(votes.reshape(num_groups, num_devices), axis=1)[group].astype(np.int32)


def repaired(problem: Problem, placement: Int[np.ndarray, " node"]) -> Int[np.ndarray, " node"]:
    """The placement with teams of tasks moved off devices whose memory overflows, cheapest bytes first.

    It may still overflow when room is scarce. Unchanged when it fits.
    """
    order = -np.arange(problem.graph.num_nodes, dtype=np.float64)
    peak = evaluate(problem, placement[None], order[None]).peak_bytes[0]
    if np.all(peak <= problem.memory_bytes):
        return placement
    tasks = tasks_of(problem, REPAIR_TASKS)
    best, least = placement, np.inf
    current = placement.copy()
    for _ in range(REPAIR_ROUNDS):
        overflow = peak - problem.memory_bytes
        if overflow.max() < least:
            best, least = current.copy(), overflow.max()
        if overflow.max() <= 0:
            break
        if not _relieve(problem, tasks, current, int(np.argmax(overflow)), peak):
            break
        peak = evaluate(problem, current[None], order[None]).peak_bytes[0]
    return best


def _relieve(problem: Problem, tasks: Tasks, placement: np.ndarray, full: int, peak: np.ndarray) -> bool:
    # moves teams, those that cut least for each byte first, until the overflow is gone; whether any could
    graph, room = problem.graph, problem.memory_bytes - peak
    team = tasks.team[tasks.of]
    stays = np.where(graph.is_stored, graph.output_bytes, 0.0) + graph.resident_bytes
    here = placement == full
    passing = np.where(here & ~graph.is_stored, graph.output_bytes, 0.0)
    # of what is freed again, the share that is alive at the peak
    alive = max(float(peak[full] - stays[here].sum()), 0.0) / max(float(passing.sum()), 1.0)
    kept = np.bincount(team, stays * here + alive * passing, tasks.num_tasks)
    source, target = graph.edges[:, 0], graph.edges[:, 1]
    leaves = (team[source] != team[target]) & ~graph.is_stored[source]
    inside = leaves & (placement[source] == full) & (placement[target] == full)
    cut = np.bincount(team[source[inside]], graph.output_bytes[source[inside]], tasks.num_tasks)
    cut += np.bincount(team[target[inside]], graph.output_bytes[source[inside]], tasks.num_tasks)
    candidates = np.flatnonzero(kept > 0)
    candidates = candidates[np.argsort(cut[candidates] / kept[candidates], kind="stable")]
    excess, has_moved = -room[full], False
    for one in candidates:
        others = np.where(np.arange(problem.num_devices) == full, -np.inf, room)
        to = int(np.argmax(others))
        if excess <= 0 or room[to] <= 0:
            break
        if kept[one] > max(room[to], 2 * excess):
            continue
        placement[team == one] = to
        has_moved = True
        room[to] -= kept[one]
        excess -= kept[one]
    return has_moved
