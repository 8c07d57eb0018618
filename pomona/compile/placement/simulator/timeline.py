"""One plan in full: when everything ran and moved, memory over time, and what the step had to wait for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32

from pomona.compile.placement.plan import Plan, check_plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import compiled_play
from pomona.foundation.errors import InputError


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


@dataclass(frozen=True, eq=False)
class Curve:
    """Memory in use: `used_bytes[i]` from `time_us[i]` on."""

    time_us: Float64[np.ndarray, " change"]
    used_bytes: Float64[np.ndarray, " change"]


@dataclass(frozen=True, eq=False)
class Timeline:
    """A step of a plan, as the rules of the simulator have it."""

    step_us: float
    start_us: Float64[np.ndarray, " node"]
    end_us: Float64[np.ndarray, " node"]
    moves: Moves
    peak_bytes: Float64[np.ndarray, " device"]
    memory: tuple[Curve, ...]  # one a device
    is_valid: bool
    is_critical: Bool[np.ndarray, " node"]
    """On the chain of operations and transfers, each begun as the one before ended, that fills the step."""
    is_critical_move: Bool[np.ndarray, " move"]


def simulate(problem: Problem, plan: Plan) -> Timeline:
    """The timeline of a plan. Raises InputError where the plan is none for this problem."""
    from pomona.compile.placement.simulator.critical import critical_chain
    from pomona.compile.placement.simulator.tables import tables_of

    check_plan(plan, problem)
    play, tables = compiled_play(), tables_of(problem)
    device, cluster = np.array(plan.device), np.array(plan.cluster)
    step_us, is_whole, trace, transfers = play(tables, device, np.array(plan.priority), cluster)
    if not is_whole:
        raise InputError("fused clusters of the plan wait for each other: use `fuse` to make clusters")
    moves = Moves(
        transfers.node,
        device[transfers.node],
        transfers.to,
        transfers.link,
        tables.output_bytes[transfers.node],
        trace.transfer_ready,
        trace.transfer_start,
        trace.transfer_end,
    )
    start_us, end_us = trace.unit_start[cluster], trace.unit_end[cluster]
    units, chain_moves = critical_chain(trace)
    is_critical = np.isin(cluster, units)
    is_critical_move = np.isin(np.arange(len(moves.node)), chain_moves)
    return Timeline(
        step_us,
        start_us,
        end_us,
        moves,
        trace.peak_bytes,
        _curves(problem, plan, tables, start_us, moves, trace),
        bool(np.all(trace.peak_bytes <= problem.memory_bytes)),
        is_critical,
        is_critical_move,
    )


def _curves(problem: Problem, plan: Plan, tables, start_us: np.ndarray, moves: Moves, trace) -> tuple:
    from pomona.compile.placement.simulator.units import units_of

    device, stored = plan.device, problem.graph.is_stored
    own_bytes = units_of(tables, np.array(device), np.array(plan.priority), np.array(plan.cluster)).own_bytes
    kept = np.bincount(
        device, problem.graph.resident_bytes + np.where(stored, own_bytes, 0.0), problem.num_devices
    )
    size = np.concatenate([own_bytes[~stored], moves.size_bytes])
    where = np.concatenate([device[~stored], moves.to_device])
    held_from = np.where(tables.item_of >= 0, start_us[tables.item_of], start_us)
    begin = np.concatenate([held_from[~stored], moves.start_us])
    end = np.concatenate([trace.freed[~stored], trace.copy_freed])
    return tuple(
        _curve(kept[one], begin[where == one], end[where == one], size[where == one])
        for one in range(problem.num_devices)
    )


def _curve(kept: float, begin: np.ndarray, end: np.ndarray, size: np.ndarray) -> Curve:
    is_freed = np.isfinite(end)
    time = np.concatenate([end[is_freed], begin])
    change = np.concatenate([-size[is_freed], size])
    # what is freed at a moment is free for what is allocated then: a stable sort keeps that order
    order = np.argsort(time, kind="stable")
    used = kept + np.cumsum(change[order])
    return Curve(np.concatenate([[0.0], time[order]]), np.concatenate([[kept], used]))
