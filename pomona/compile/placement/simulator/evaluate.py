"""What plans cost, many at once: time of a step, memory, and whether each plan can run at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from pomona.compile.placement.problem import Problem
from pomona.foundation.errors import InputError


@dataclass(frozen=True, eq=False)
class Scores:
    """One row a plan."""

    step_us: Float64[np.ndarray, " batch"]
    peak_bytes: Float64[np.ndarray, "batch device"]
    is_valid: Bool[np.ndarray, " batch"]
    """No device ever needs more than its memory."""


def evaluate(
    problem: Problem,
    device: Int[np.ndarray, "batch node"],
    priority: Float[np.ndarray, "batch node"],
    cluster: Int[np.ndarray, "batch node"] | None = None,
    *,
    threads: int = 1,
) -> Scores:
    """The scores of a batch of plans, each the same as alone and on any number of threads, to the last bit.

    `priority` and `cluster` may have one row for all. Without `cluster` nothing is fused. Raises InputError
    where clusters wait for each other or shapes do not fit.
    """
    play = compiled_play()
    tables = _tables_of(problem)
    device, priority, cluster = _rows(problem, device, priority, cluster)
    num_plans = len(device)
    step_us = np.empty(num_plans)
    peak_bytes = np.empty((num_plans, problem.num_devices))

    def one(row: int) -> bool:
        step_us[row], is_whole, trace, _ = play(
            tables, device[row], priority[row % len(priority)], cluster[row % len(cluster)]
        )
        peak_bytes[row] = trace.peak_bytes
        return is_whole

    if threads > 1 and num_plans > 1:
        with ThreadPoolExecutor(threads) as pool:
            is_whole = list(pool.map(one, range(num_plans)))
    else:
        is_whole = [one(row) for row in range(num_plans)]
    if not all(is_whole):
        raise InputError(
            f"fused clusters of plan {is_whole.index(False)} wait for each other: use `fuse` to make clusters"
        )
    return Scores(step_us, peak_bytes, np.all(peak_bytes <= problem.memory_bytes, axis=1))


def compiled_play():
    """The event loop. Raises MissingExtraError without Numba."""
    from pomona.compile.placement.simulator.event_loop import play

    return play


def _tables_of(problem: Problem):
    from pomona.compile.placement.simulator.tables import tables_of

    return tables_of(problem)


def _rows(problem: Problem, device, priority, cluster) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    num_nodes = problem.graph.num_nodes
    if cluster is None:
        cluster = np.arange(num_nodes)
    device = np.array(np.atleast_2d(device), np.int32)
    priority = np.array(np.atleast_2d(priority), np.float64)
    cluster = np.array(np.atleast_2d(cluster), np.int32)
    for name, rows in (("device", device), ("priority", priority), ("cluster", cluster)):
        if rows.shape[1:] != (num_nodes,) or len(rows) not in (1, len(device)):
            raise InputError(
                f"{name} should have {len(device)} rows of {num_nodes} nodes, has shape {rows.shape}: "
                "give one number a node"
            )
    if device.size and not 0 <= device.min() <= device.max() < problem.num_devices:
        raise InputError(
            f"devices should be 0 to {problem.num_devices - 1}, got {device.min()} to {device.max()}"
        )
    if cluster.size and not 0 <= cluster.min() <= cluster.max() < num_nodes:
        raise InputError(f"clusters should be numbered by nodes, got {cluster.min()} to {cluster.max()}")
    return device, priority, cluster
