"""How early and how late each node can come: longest paths with transfers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.compiling import compiled

COMMUNICATION_SHARE = 0.5
"""Part of each edge's transfer time on a path: about what is paid when half of the edges cross."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Microseconds, the mean over devices."""

    run_us: Float64[np.ndarray, " node"]
    output_us: Float64[np.ndarray, " node"]
    """The time of sending a node's output over the mean link; 0 with one device."""
    top_us: Float64[np.ndarray, " node"]
    """Longest path that ends before the node starts."""
    bottom_us: Float64[np.ndarray, " node"]
    """Longest path from the node's start to the end of the step."""


def levels_of(problem: Problem) -> Levels:
    """Longest paths through every node; time grows with the edges."""
    run_us = problem.run_us.mean(axis=0)
    output_us = _output_us(problem)
    edges = problem.graph.edges
    part = np.where(problem.graph.is_stored, 0.0, COMMUNICATION_SHARE * output_us)
    top_us = np.zeros_like(run_us)
    bottom_us = run_us.copy()
    _longest_paths(edges, run_us, part, top_us, bottom_us)
    return Levels(run_us, output_us, top_us, bottom_us)


def _output_us(problem: Problem) -> np.ndarray:
    if problem.num_devices == 1:
        return np.zeros(problem.graph.num_nodes)
    used = problem.routes[problem.routes >= 0]
    latency = problem.link_latency_us[used].mean()
    return latency + problem.graph.output_bytes * (1.0 / problem.link_bytes_per_us[used]).mean()


@compiled
def _longest_paths(edges, run_us, part, top_us, bottom_us):  # type: ignore[no-untyped-def]
    # edges are sorted by source and go upwards: every edge into a source has been seen before those out of it
    for index in range(len(edges)):
        source, target = edges[index]
        top_us[target] = max(top_us[target], top_us[source] + run_us[source] + part[source])
    for index in range(len(edges) - 1, -1, -1):
        source, target = edges[index]
        bottom_us[source] = max(bottom_us[source], run_us[source] + part[source] + bottom_us[target])
