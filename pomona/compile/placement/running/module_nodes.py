"""Which nodes of a captured graph belong to which part of the module they came from."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pomona.compile.placement.graph import Graph
from pomona.foundation.errors import InputError

FLOPS_PER_BYTE = 15.0
"""FLOPs in the time of moving a byte, about that of GPUs; to say how much a node counts for."""


@dataclass(frozen=True)
class ModuleNodes:
    """Nodes by the names of modules; the module itself is ""."""

    owner: tuple[str, ...]
    """Node → the innermost module that it was called in, or that has the weight; "" for what none has."""
    weight: Float64[np.ndarray, " node"]
    """How much a node counts for: bytes that it moves, or its FLOPs as bytes."""

    def inside(self, name: str) -> list[int]:
        """The nodes of a module and of those in it, in order."""
        return [node for node, owner in enumerate(self.owner) if is_inside(owner, name)]


def is_inside(name: str, outer: str) -> bool:
    """Whether a module, by name, is `outer` or lies in it."""
    return not outer or name == outer or name.startswith(f"{outer}.")


def module_nodes(graph: Graph, names: Collection[str]) -> ModuleNodes:
    """The nodes of the modules in `names`, which are those of `module.named_modules()`.

    Raises InputError when the graph is not that of such a module.
    """
    known = set(names) | {""}
    owners = tuple(_owner(label, known) for label in graph.labels)
    if len(known) > 1 and not any(owners):
        raise InputError(
            f"no node of {graph.name!r} is of a module in it: use the graph that was captured from the module"
        )
    weight = np.maximum(graph.flops / FLOPS_PER_BYTE, graph.traffic_bytes)
    return ModuleNodes(owners, weight)


def _owner(label: str, known: Collection[str]) -> str:
    # what stands last is an operator, or the weight's own name
    parts = label.split("/")[:-1]
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts)
