"""Nodes of a graph as they are found, one after the other, until they make a Graph."""

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np
from jaxtyping import Bool, Int64

from pomona.compile.placement.graph import Graph, ordered
from pomona.compile.placement.op_costs import light_flops

UPDATE_SLOTS = 2
"""Tensors of a weight's size that the optimiser keeps: Adam's moments, RMSProp's mean square and momentum."""


class NodeList:
    """Give every node its sources' numbers; `graph` sorts what is out of order."""

    def __init__(self) -> None:
        self.ops: list[str] = []
        self.labels: list[str] = []
        self.flops: list[float] = []
        self.traffic_bytes: list[float] = []
        self.output_bytes: list[float] = []
        self.resident_bytes: list[float] = []
        self.is_stored: list[bool] = []
        self.shapes: list[tuple[int, ...]] = []
        self.groups: list[int] = []
        self.edges: list[tuple[int, int]] = []

    def add(
        self,
        op: str,
        label: str,
        shape: Sequence[int],
        output_bytes: float,
        *,
        sources: Iterable[int] = (),
        flops: float = 0.0,
        traffic_bytes: float = 0.0,
        is_stored: bool = False,
    ) -> int:
        """The number of the new node."""
        node = len(self.ops)
        self.ops.append(op)
        self.labels.append(label)
        self.flops.append(float(flops))
        self.traffic_bytes.append(float(traffic_bytes))
        self.output_bytes.append(float(output_bytes))
        self.resident_bytes.append(0.0)
        self.is_stored.append(is_stored)
        self.shapes.append(tuple(shape))
        self.groups.append(-1)
        self.edges.extend((source, node) for source in sources)
        return node

    def add_item(self, whole: int, shape: Sequence[int], output_bytes: float) -> int:
        """A free node for one of the outputs of `whole`, which keeps none itself."""
        self.output_bytes[whole] = 0.0
        self.groups[whole] = whole
        item = self.add("item", f"{self.labels[whole]}/item", shape, output_bytes, sources=[whole])
        self.groups[item] = whole
        return item

    def add_update(self, weight: int, gradient: int) -> int:
        """The optimiser's step on a weight, beside it, with its tensors resident; gives nothing onward."""
        size_bytes = self.output_bytes[weight]
        self.resident_bytes[weight] = UPDATE_SLOTS * size_bytes
        node = self.add(
            "update",
            f"{self.labels[weight]}/update",
            self.shapes[weight],
            # the new weight takes the old one's place
            0.0,
            sources=[weight, gradient],
            flops=light_flops("update", prod(self.shapes[weight]), 0),
            # reads weight, gradient and slots, writes weight and slots
            traffic_bytes=(3 + 2 * UPDATE_SLOTS) * size_bytes,
        )
        self.groups[weight] = self.groups[node] = weight
        return node

    def graph(self, name: str, *, wanted: Iterable[int] | None = None) -> Graph:
        """The graph of all nodes, or of those alone that the `wanted` ones need, as frameworks prune.

        Raises InputError where the nodes make no graph.
        """
        edges = np.array(self.edges, np.int64).reshape(-1, 2)
        kept = np.ones(len(self.ops), bool) if wanted is None else self._needed(wanted, edges)
        place = np.cumsum(kept) - 1
        edges = place[edges[kept[edges[:, 1]]]]
        groups = np.array(self.groups, np.int64)
        chosen = np.flatnonzero(kept).tolist()
        return ordered(
            name,
            [self.ops[node] for node in chosen],
            [self.labels[node] for node in chosen],
            flops=np.array(self.flops)[kept],
            traffic_bytes=np.array(self.traffic_bytes)[kept],
            output_bytes=np.array(self.output_bytes)[kept],
            resident_bytes=np.array(self.resident_bytes)[kept],
            is_stored=np.array(self.is_stored)[kept],
            shapes=[self.shapes[node] for node in chosen],
            edges=edges,
            groups=groups[kept],
        )

    def _needed(self, wanted: Iterable[int], edges: Int64[np.ndarray, "edge 2"]) -> Bool[np.ndarray, " node"]:
        sources: list[list[int]] = [[] for _ in self.ops]
        for source, target in edges.tolist():
            sources[target].append(source)
        needed = np.zeros(len(self.ops), bool)
        stack = list(wanted)
        while stack:
            node = stack.pop()
            if not needed[node]:
                needed[node] = True
                stack.extend(sources[node])
        return needed
