"""The units a policy decides on: colocation groups, merged with their closest neighbours when there are many.

A policy that draws each of 5,000 nodes by itself almost never draws a good plan; one that draws 256 units
whose nodes would be torn apart only by a bad plan does. Search refines what the units cannot say.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from pomona.compile.placement.policy.levels import Levels
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.compiling import compiled

WORK_SHARE = 2.0
"""No merged unit has more than this times the average unit's work, unless one group alone has."""
LADDER = (4096, 1024, 256, 64, 16)
MOST_ROUNDS = 12
"""Of merging for a rung; disconnected graphs keep more units than asked for."""


@dataclass(frozen=True, eq=False)
class Units:
    """Which nodes act as one. Units are numbered by their first node."""

    of_node: Int32[np.ndarray, " node"]
    count: int

    def mean(self, values: Float64[np.ndarray, " node"]) -> Float64[np.ndarray, " unit"]:
        """The mean of a unit's nodes."""
        return self.total(values) / self.total(np.ones(len(self.of_node)))

    def total(self, values: Float64[np.ndarray, " node"]) -> Float64[np.ndarray, " unit"]:
        """The sum over a unit's nodes."""
        return np.bincount(self.of_node, values, minlength=self.count)


def units_of(problem: Problem, levels: Levels, max_units: int, base: Int32[np.ndarray, " node"]) -> Units:
    """Groups as units; with `max_units` > 0, merged along the costliest edges until there are no more.

    Only what `base`, a placement, has on one device is merged, so that units can say all that it says.

    Time grows with edges × log edges. Deterministic. Units stay below WORK_SHARE of the average work and a
    quarter of the smallest device's memory, where that leaves few enough of them. Merging goes by way of the
    LADDER, so that the units for 256 are whole parts of those for 64.
    """
    of_node, count = _numbered(problem.graph.groups)
    if max_units == 0 or count <= max_units:
        return Units(of_node, count)
    for rung in (*(rung for rung in LADDER if max_units < rung < count), max_units):
        of_node = _merged_to(problem, levels, of_node, rung, base)
    return Units(of_node, int(of_node.max()) + 1)


def _merged_to(
    problem: Problem, levels: Levels, of_node: np.ndarray, max_units: int, base: np.ndarray
) -> np.ndarray:
    graph = problem.graph
    memory = graph.resident_bytes + np.where(graph.is_stored, graph.output_bytes, 0.0)
    smallest = problem.memory_bytes.min()
    max_work, max_memory = WORK_SHARE * levels.run_us.sum() / max_units, smallest / 4
    for _ in range(MOST_ROUNDS):
        count = int(of_node.max()) + 1
        if count <= max_units:
            break
        sums = np.bincount(of_node, levels.run_us, count), np.bincount(of_node, memory, count)
        source, target = _close_pairs(problem, levels, of_node, base)
        merged = _merge(count, source, target, *sums, max_work, max_memory, count - max_units)
        of_node, _ = _numbered(merged[of_node])
        if int(of_node.max()) + 1 == count:
            max_work, max_memory = max_work * 1.5, min(max_memory * 1.5, smallest / 2)
    return of_node


def _numbered(labels: np.ndarray) -> tuple[np.ndarray, int]:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first), dtype=np.int32)
    return rank[inverse].astype(np.int32), len(first)


def _close_pairs(
    problem: Problem, levels: Levels, of_node: np.ndarray, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of units on one device: joined by an edge, costliest beside their work first; then neighbours
    in the program.
    """
    edges = problem.graph.edges
    source, target = of_node[edges[:, 0]].astype(np.int64), of_node[edges[:, 1]].astype(np.int64)
    mergeable = (source != target) & (base[edges[:, 0]] == base[edges[:, 1]])
    source, target = source[mergeable], target[mergeable]
    low, high = np.minimum(source, target), np.maximum(source, target)
    count = int(of_node.max()) + 1
    key, inverse = np.unique(low * count + high, return_inverse=True)
    total = np.bincount(inverse, levels.output_us[edges[mergeable, 0]], len(key))
    low, high = key // count, key % count
    work = np.bincount(of_node, levels.run_us, count)
    order = np.argsort(-total / (np.minimum(work[low], work[high]) + 1.0), kind="stable")
    device = np.zeros(count, np.int64)
    device[of_node] = base
    # a stable sort keeps the units of a device in the order of their first nodes
    lined = np.argsort(device, kind="stable")
    follows = device[lined[:-1]] == device[lined[1:]]
    return (
        np.concatenate([low[order], lined[:-1][follows]]),
        np.concatenate([high[order], lined[1:][follows]]),
    )


@compiled
def _merge(count, source, target, work, memory, max_work, max_memory, wanted):  # type: ignore[no-untyped-def]
    """Union of pairs in order while the sums stay within their limits; `work` and `memory` are changed."""
    parent = np.arange(count)
    done = 0
    for index in range(len(source)):
        if done >= wanted:
            break
        a, b = source[index], target[index]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b or work[a] + work[b] > max_work or memory[a] + memory[b] > max_memory:
            continue
        keep, gone = min(a, b), max(a, b)
        parent[gone] = keep
        work[keep] += work[gone]
        memory[keep] += memory[gone]
        done += 1
    for unit in range(count):
        root = unit
        while parent[root] != root:
            root = parent[root]
        parent[unit] = root
    return parent
