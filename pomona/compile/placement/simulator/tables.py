"""A problem as bare arrays, in the form that the compiled loops read."""

import weakref
from typing import NamedTuple

import numpy as np

from pomona.compile.placement.op_names import HEAVY
from pomona.compile.placement.problem import Problem


class Tables(NamedTuple):
    """Fixed for a problem. Edges are in the graph's order, that of their sources."""

    run_us: np.ndarray  # device node
    calculate_us: np.ndarray  # device node: the FLOPs alone
    traffic_bytes: np.ndarray
    bytes_per_us: np.ndarray  # device
    launch_us: np.ndarray  # device
    output_bytes: np.ndarray
    resident_bytes: np.ndarray
    is_stored: np.ndarray
    is_free: np.ndarray  # no time; stored nodes are free too
    is_view: np.ndarray  # looks at what others hold: keeps its sources alive, has no memory of its own
    item_of: np.ndarray  # the operation that this is an item of, in memory from its start on; else -1
    is_heavy: np.ndarray
    out_starts: np.ndarray  # node + 1: the edges that leave a node
    source: np.ndarray  # edge
    target: np.ndarray  # edge
    in_starts: np.ndarray  # node + 1
    in_edges: np.ndarray  # the edges that reach a node
    routes: np.ndarray  # device device
    latency_us: np.ndarray  # link
    link_bytes_per_us: np.ndarray  # link
    link_is_shared: np.ndarray  # link
    memory_bytes: np.ndarray  # device


def tables_of(problem: Problem) -> Tables:
    """The arrays of a problem, made once and kept as long as the problem lives."""
    if problem not in _KEPT:
        _KEPT[problem] = _tables(problem)
    return _KEPT[problem]


_KEPT: weakref.WeakKeyDictionary[Problem, Tables] = weakref.WeakKeyDictionary()


def _tables(problem: Problem) -> Tables:
    graph, devices = problem.graph, problem.machine.devices
    is_free = graph.is_free | graph.is_stored
    item_of = _item_of(problem, is_free)
    calculate_us = np.stack(
        [
            graph.flops
            * 1e6
            / np.array([one.flops_per_s * one.efficiency.get(name, 1.0) for name in graph.op_names])[graph.op]
            for one in devices
        ]
    )
    is_heavy = np.array([name in HEAVY for name in graph.op_names], np.bool_)[graph.op]
    return Tables(
        run_us=np.ascontiguousarray(problem.run_us),
        calculate_us=calculate_us,
        traffic_bytes=_own(graph.traffic_bytes),
        bytes_per_us=np.array([one.bytes_per_s / 1e6 for one in devices]),
        launch_us=np.array([one.launch_us for one in devices], np.float64),
        output_bytes=_own(graph.output_bytes),
        resident_bytes=_own(graph.resident_bytes),
        is_stored=_own(graph.is_stored),
        is_free=is_free,
        is_view=is_free & (np.diff(problem.sources_of.starts) > 0) & (item_of < 0),
        item_of=item_of,
        is_heavy=is_heavy & ~is_free,
        out_starts=_own(problem.consumers_of.starts),
        source=np.ascontiguousarray(graph.edges[:, 0]),
        target=np.ascontiguousarray(graph.edges[:, 1]),
        in_starts=_own(problem.sources_of.starts),
        in_edges=np.argsort(graph.edges[:, 1], kind="stable").astype(np.int32),
        routes=_own(problem.routes),
        latency_us=_own(problem.link_latency_us),
        link_bytes_per_us=_own(problem.link_bytes_per_us),
        link_is_shared=_own(problem.link_is_shared),
        memory_bytes=_own(problem.memory_bytes),
    )


def _item_of(problem: Problem, is_free: np.ndarray) -> np.ndarray:
    # an operation with several outputs has none itself: its items, free nodes of its group, hold them
    graph, sources = problem.graph, problem.sources_of
    item_of = np.full(graph.num_nodes, -1, np.int32)
    for node in np.flatnonzero(graph.is_free & (np.diff(sources.starts) == 1)).tolist():
        source = int(sources.nodes[sources.starts[node]])
        is_empty = graph.output_bytes[source] == 0 and not is_free[source]
        if is_empty and graph.groups[source] == graph.groups[node]:
            item_of[node] = source
    return item_of


def _own(array: np.ndarray) -> np.ndarray:
    # a compiled function has one form for each layout and writability: copies give it one of each
    return np.array(array)
