"""The program cut into equal parts, one a device: what pipelines do that do not look at transfers."""

import numpy as np
from jaxtyping import Float64, Int, Int32

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem


def topological(problem: Problem, generator: np.random.Generator) -> Plan:
    """Consecutive parts of equal work in program order; stored data lies where it is read first."""
    position = np.arange(problem.graph.num_nodes)
    return finished(problem, [contiguous(problem, position)])


def contiguous(problem: Problem, key: Int[np.ndarray, " node"]) -> Int32[np.ndarray, " node"]:
    """Nodes sorted by key, cut into one part a device, each with the work that its speed earns it."""
    order = np.argsort(key, kind="stable")
    work = problem.run_us.mean(axis=0)
    speed: Float64[np.ndarray, " device"] = 1.0 / np.maximum(problem.run_us.sum(axis=1), 1e-9)
    ends = np.cumsum(speed) / speed.sum() * work.sum()
    done = np.cumsum(work[order]) - 0.5 * work[order]
    device = np.empty(len(order), np.int32)
    device[order] = np.minimum(np.searchsorted(ends, done, side="right"), problem.num_devices - 1)
    for node in np.flatnonzero(problem.graph.is_stored & (np.diff(problem.consumers_of.starts) > 0)).tolist():
        device[node] = device[problem.consumers_of.of(node)[0]]
    return device
