"""A computation as arrays: what each operation costs, what it makes, and what must stay together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Int32, Int64

from pomona.foundation.errors import InputError

SHAPE_AXES = 4
"""Axes of an output shape that are kept; further ones are dropped, missing ones are 0."""


@dataclass(frozen=True, eq=False)
class Graph:
    """An acyclic graph of operations, in topological order. Arrays are checked on making, then read-only.

    A node with no FLOPs and no traffic (a view, an item of a tuple, a parameter) costs nothing, not even a
    launch. A node has one output; an operation with several has none itself, but items: free nodes of its
    group. Labels are paths: modules with / between them, `gradient` in the backward pass, the operation last.
    Raises InputError where the arrays do not belong together.
    """

    name: str
    op_names: tuple[str, ...]  # the vocabulary of this graph
    op: Int32[np.ndarray, " node"]  # index into op_names
    labels: tuple[str, ...]  # unique
    flops: Float64[np.ndarray, " node"]
    traffic_bytes: Float64[np.ndarray, " node"]  # read and written when the node runs alone
    output_bytes: Float64[np.ndarray, " node"]  # what another device would have to be sent
    resident_bytes: Float64[np.ndarray, " node"]  # on the node's device for the whole step, beside its output
    is_stored: Bool[np.ndarray, " node"]  # its output is there for the whole step: a weight, an input
    shapes: Int64[np.ndarray, "node 4"]  # of the output, leading axes, padded with 0
    edges: Int32[np.ndarray, "edge 2"]  # (source, target), source < target, sorted, unique
    groups: Int32[np.ndarray, " node"]  # nodes with one number share a device

    def __post_init__(self) -> None:
        for field, dtype in _DTYPES.items():
            array = np.ascontiguousarray(getattr(self, field), dtype=dtype).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        _check(self)

    @property
    def num_nodes(self) -> int:
        return len(self.op)

    @property
    def num_edges(self) -> int:
        return len(self.edges)

    @property
    def is_free(self) -> Bool[np.ndarray, " node"]:
        """Nodes that cost no time at all."""
        return (self.flops == 0) & (self.traffic_bytes == 0)

    def __repr__(self) -> str:
        return f"Graph({self.name!r}, {self.num_nodes} nodes, {self.num_edges} edges)"


def ordered(
    name: str,
    ops: list[str],
    labels: list[str],
    *,
    flops: Sequence[float] | np.ndarray,
    traffic_bytes: Sequence[float] | np.ndarray,
    output_bytes: Sequence[float] | np.ndarray,
    edges: Sequence[tuple[int, int]] | Int[np.ndarray, "edge 2"],
    resident_bytes: Sequence[float] | np.ndarray | None = None,
    is_stored: Sequence[bool] | np.ndarray | None = None,
    shapes: Sequence[Sequence[int]] | None = None,
    groups: Sequence[int] | np.ndarray | None = None,
) -> Graph:
    """A Graph from nodes in any order: they are sorted so that sources come first, else as they were given.

    `ops` are words, `groups` any numbers, negative for a node alone, edges may be repeated. Labels that occur
    again get a number. A group's number becomes the index of its first node. Raises InputError on a cycle,
    naming a node of it.
    """
    num = len(ops)
    pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    _check_ends(pairs, num)
    order = topological_order(num, pairs, labels)
    place = np.empty(num, np.int64)
    place[order] = np.arange(num)
    words = sorted(set(ops))
    index_of = {word: index for index, word in enumerate(words)}

    def arrange(values: Sequence | np.ndarray | None, default: float | bool) -> np.ndarray:
        return np.full(num, default) if values is None else np.asarray(values)[order]

    return Graph(
        name=name,
        op_names=tuple(words),
        op=np.array([index_of[ops[index]] for index in order.tolist()], np.int32),
        labels=_unique([labels[index] for index in order.tolist()]),
        flops=arrange(flops, 0.0),
        traffic_bytes=arrange(traffic_bytes, 0.0),
        output_bytes=arrange(output_bytes, 0.0),
        resident_bytes=arrange(resident_bytes, 0.0),
        is_stored=arrange(is_stored, False),
        shapes=_padded(shapes or (), num)[order],
        edges=np.unique(place[pairs], axis=0) if len(pairs) else pairs,
        groups=_first_members(arrange(groups, -1)),
    )


def topological_order(
    num_nodes: int, edges: Int[np.ndarray, "edge 2"], labels: Sequence[str]
) -> Int64[np.ndarray, " node"]:
    """Indices of the nodes, sources before targets, always the lowest that is ready next.

    Raises InputError on a cycle.
    """
    import heapq

    if np.all(edges[:, 0] < edges[:, 1]):
        return np.arange(num_nodes)
    by_source = edges[np.argsort(edges[:, 0], kind="stable")]
    starts = np.searchsorted(by_source[:, 0], np.arange(num_nodes + 1)).tolist()
    targets = by_source[:, 1].tolist()
    waits = np.bincount(edges[:, 1], minlength=num_nodes).tolist()
    ready = [node for node in range(num_nodes) if waits[node] == 0]
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for target in targets[starts[node] : starts[node + 1]]:
            waits[target] -= 1
            if waits[target] == 0:
                heapq.heappush(ready, target)
    if len(order) < num_nodes:
        stuck = _node_of_cycle(edges, np.array(waits, np.int64) > 0)
        raise InputError(
            f"a graph without cycles was wanted, but {labels[stuck]!r} needs its own output: "
            "remove one of the edges of that cycle"
        )
    return np.array(order, np.int64)


_DTYPES = {
    "op": np.int32,
    "flops": np.float64,
    "traffic_bytes": np.float64,
    "output_bytes": np.float64,
    "resident_bytes": np.float64,
    "is_stored": np.bool_,
    "shapes": np.int64,
    "edges": np.int32,
    "groups": np.int32,
}


def _check(graph: Graph) -> None:
    num = len(graph.op)
    if num == 0:
        raise InputError(
            f"a graph with nodes was wanted, {graph.name!r} has none: capture a model that computes"
        )
    for field in _DTYPES:
        wanted = {"shapes": (num, SHAPE_AXES), "edges": (len(graph.edges), 2)}.get(field, (num,))
        if getattr(graph, field).shape != wanted:
            raise InputError(
                f"{field} of graph {graph.name!r} should have shape {wanted}, "
                f"has {getattr(graph, field).shape}: give one value a node"
            )
    if len(graph.labels) != num or len(set(graph.labels)) != num:
        raise InputError(f"graph {graph.name!r} needs {num} different labels: number those that occur again")
    if graph.op.min() < 0 or graph.op.max() >= len(graph.op_names):
        raise InputError(
            f"op of graph {graph.name!r} must be indices into its {len(graph.op_names)} op names"
        )
    for field in ("flops", "traffic_bytes", "output_bytes", "resident_bytes"):
        values = getattr(graph, field)
        if not np.all(np.isfinite(values) & (values >= 0)):
            node = int(np.argmin(np.isfinite(values) & (values >= 0)))
            raise InputError(
                f"{field} of {graph.labels[node]!r} should be a number of at least 0, is {values[node]}: "
                "fix the cost of that node"
            )
    _check_edges(graph, num)


def _check_edges(graph: Graph, num: int) -> None:
    edges = graph.edges.astype(np.int64)
    _check_ends(edges, num)
    if np.any(edges[:, 0] >= edges[:, 1]):
        raise InputError(
            f"edges of graph {graph.name!r} must go from a lower to a higher node: make it with `ordered`"
        )
    keys = edges[:, 0] * num + edges[:, 1]
    if np.any(np.diff(keys) <= 0):
        raise InputError(f"edges of graph {graph.name!r} must be sorted and unique: make it with `ordered`")
    fed = edges[graph.is_stored[edges[:, 1]], 1]
    if len(fed):
        raise InputError(
            f"{graph.labels[fed[0]]!r} is stored and can have no source: unmark it or drop its incoming edges"
        )
    if np.any(graph.groups < 0):
        raise InputError(f"groups of graph {graph.name!r} must be at least 0: make it with `ordered`")


def _check_ends(edges: Int64[np.ndarray, "edge 2"], num: int) -> None:
    outside = edges[np.any((edges < 0) | (edges >= num), axis=1)]
    if len(outside):
        raise InputError(f"edge {tuple(outside[0].tolist())} names a node that is not one of the {num} nodes")


def _node_of_cycle(edges: Int64[np.ndarray, "edge 2"], is_stuck: np.ndarray) -> int:
    # every stuck node has a stuck source, so walking back must meet a node again
    source_of = {target: source for source, target in edges.tolist() if is_stuck[source] and is_stuck[target]}
    node, seen = next(iter(source_of)), set()
    while node not in seen:
        seen.add(node)
        node = source_of[node]
    return node


def _padded(shapes: Sequence[Sequence[int]], num: int) -> Int64[np.ndarray, "node 4"]:
    padded = np.zeros((num, SHAPE_AXES), np.int64)
    for row, shape in enumerate(shapes):
        kept = tuple(shape)[:SHAPE_AXES]
        padded[row, : len(kept)] = kept
    return padded


def _unique(labels: list[str]) -> tuple[str, ...]:
    taken = set(labels)
    if len(taken) == len(labels):
        return tuple(labels)
    seen: set[str] = set()
    counts: dict[str, int] = {}
    result = []
    for label in labels:
        name = label
        while name in seen or (name != label and name in taken):
            counts[label] = counts.get(label, 0) + 1
            name = f"{label}.{counts[label]}"
        seen.add(name)
        result.append(name)
    return tuple(result)


def _first_members(groups: Int[np.ndarray, " node"]) -> Int32[np.ndarray, " node"]:
    nodes = np.arange(len(groups))
    alone = np.where(groups < 0, groups.max(initial=0) + 1 + nodes, groups)
    _, first, inverse = np.unique(alone, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int32)
