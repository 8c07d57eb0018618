"""The inputs of a call, by the names of their nodes, checked against those that a module was placed with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node
from torch.utils._pytree import TreeSpec, tree_flatten

from pomona.foundation.errors import DataError


@dataclass(frozen=True, eq=False)
class Inputs:
    """How a module's inputs are arranged, and the node of each; None for one that is no tensor."""

    nodes: Sequence[Node | None]
    spec: TreeSpec | None

    @staticmethod
    def of(program: torch.export.ExportedProgram, nodes: Sequence[Node]) -> "Inputs":
        """The inputs of an exported program, of which these are the nodes."""
        tensors = [node if isinstance(node.meta.get("val"), torch.Tensor) else None for node in nodes]
        return Inputs(tensors, program.call_spec.in_spec)

    @property
    def names(self) -> list[str]:
        """Names of the nodes of tensors."""
        return [node.name for node in self.nodes if node is not None]

    def named(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Name of a node → its tensor. Raises DataError for inputs of other shapes or types."""
        leaves, spec = tree_flatten((tuple(args), dict(kwargs)))
        if spec != self.spec:
            raise DataError("the inputs are arranged in another way than those it was placed with")
        given = {}
        for node, value in zip(self.nodes, leaves, strict=True):
            if node is None:
                continue
            wanted = _described(node.meta["val"])
            if not isinstance(value, torch.Tensor) or _described(value) != wanted:
                got = _described(value) if isinstance(value, torch.Tensor) else type(value).__name__
                raise DataError(f"input {node.name!r} was placed as {wanted}, got {got}")
            given[node.name] = value
        return given


def _described(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
