"""The chain of operations and transfers that a step had to wait for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32

from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem


@dataclass(frozen=True, eq=False)
class Moves:
    """The transfers, by source node, then device."""

    node: Int32[np.ndarray, " move"]
    from_device: Int32[np.ndarray, " move"]
    to_device: Int32[np.ndarray, " move"]
    link: Int32[np.ndarray, " move"]
    size_bytes: Float64[np.ndarray, " move"]
    ready_us: Float64[np.ndarray, " move"]
    start_us: Float64[np.ndarray, " move"]
    end_us: Float64[np.ndarray, " move"]


def critical(
    problem: Problem,
    plan: Plan,
    start_us: Float64[np.ndarray, " node"],
    end_us: Float64[np.ndarray, " node"],
    moves: Moves,
) -> tuple[Bool[np.ndarray, " node"], Bool[np.ndarray, " move"]]:
    """Which nodes and moves are on the chain, found backwards from the last end.

    What comes before an operation is what ended as it began: an input that arrived, or what kept its device
    busy; before a transfer what made it, or what kept its link busy.
    """
    is_critical = np.zeros(problem.graph.num_nodes, np.bool_)
    is_critical_move = np.zeros(len(moves.node), np.bool_)
    ends = _ends(plan, start_us, end_us, moves)
    node, move = int(np.argmax(end_us)), -1
    while move >= 0 or (node >= 0 and not is_critical[node]):
        if move >= 0:
            is_critical_move[move] = True
            began = float(moves.start_us[move])
            is_late = began > moves.ready_us[move]
            node, move = (
                (-1, ends[2].get((int(moves.link[move]), began), -1))
                if is_late
                else (
                    int(moves.node[move]),
                    -1,
                )
            )
        else:
            cluster = np.flatnonzero(plan.cluster == plan.cluster[node])
            is_critical[cluster] = True
            node, move = _before(problem, plan, cluster, start_us, end_us, moves, ends)
    return is_critical, is_critical_move


def _ends(plan: Plan, start_us: np.ndarray, end_us: np.ndarray, moves: Moves) -> tuple[dict, dict, dict]:
    # (node, device) -> its move; (device, time) -> the node that ended then; (link, time) -> the move
    places = zip(plan.device.tolist(), start_us.tolist(), end_us.tolist(), strict=True)
    routes = zip(moves.node.tolist(), moves.to_device.tolist(), strict=True)
    links = zip(moves.link.tolist(), moves.end_us.tolist(), strict=True)
    return (
        {route: move for move, route in enumerate(routes)},
        {(device, end): node for node, (device, start, end) in enumerate(places) if start < end},
        {end: move for move, end in enumerate(links)},
    )


def _before(
    problem: Problem,
    plan: Plan,
    cluster: np.ndarray,
    start_us: np.ndarray,
    end_us: np.ndarray,
    moves: Moves,
    ends: tuple[dict, dict, dict],
) -> tuple[int, int]:
    """(node, -1), (-1, move), or (-1, -1) where the step begins."""
    began, home = float(start_us[cluster[0]]), int(plan.device[cluster[0]])
    for source in np.concatenate([problem.sources_of.of(int(member)) for member in cluster]).tolist():
        move = ends[0].get((source, home), -1) if plan.device[source] != home else -1
        if move >= 0 and moves.end_us[move] == began:
            return -1, move
        if move < 0 and end_us[source] == began and plan.cluster[source] != plan.cluster[cluster[0]]:
            return source, -1
    return ends[1].get((home, began), -1), -1
