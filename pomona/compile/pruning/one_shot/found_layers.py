"""The layers of an ONNX model that can be pruned: 1 × 1 convolutions and products with a constant matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.compile.pruning.layers import Layer
from pomona.compile.sparse.reading.graph import Node, OnnxGraph
from pomona.foundation.errors import SettingError

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
FEW_INPUTS = 4
LARGEST_INPUTS = 4096
"""Layers that read more are not fitted to their inputs: the products of these would not fit into memory."""


@dataclass(frozen=True, eq=False)
class GraphLayer:
    """One layer: where it is in the graph, and its weight as a matrix with a row an output."""

    node: Node
    layer: Layer
    weight: Float[np.ndarray, "out in"]
    bias: Float[np.ndarray, " out"] | None
    """None where it has none, or none that is constant."""
    takes_bias: bool
    stride: tuple[int, ...] = (1, 1)
    is_turned: bool = False
    """Whether the file holds the weight with a row an input."""

    @property
    def reads(self) -> str:
        """The name of its input."""
        return self.node.inputs[0]

    def columns(self, read: np.ndarray) -> Float[np.ndarray, "in column"]:
        """What the weight is multiplied with, from what the node reads."""
        if self.node.op == "Conv":
            down, across = self.stride
            return np.moveaxis(read[:, :, ::down, ::across], 1, 0).reshape(read.shape[1], -1)
        return read.reshape(-1, read.shape[-1]).T

    def stored(self, weight: Float[np.ndarray, "out in"]) -> np.ndarray:
        """A weight in the shape and type in which the file holds it."""
        turned = weight.T if self.is_turned else weight
        return np.ascontiguousarray(turned.reshape(self.layer.shape), dtype=np.float32)


def graph_layers(graph: OnnxGraph, uses: Mapping[str, int]) -> list[GraphLayer]:
    """The layers in the order in which they run; `uses` says how often a tensor's column is multiplied.

    Raises SettingError for a model without any.
    """
    constants = all_constants(graph)
    last = last_weighted(graph, constants)
    found = [
        layer
        for node in graph.nodes
        if (layer := _layer(node, constants, uses, is_last=node.position in last)) is not None
    ]
    if not found:
        ops = sorted({node.op for node in graph.nodes if node.op in WEIGHTED})
        raise SettingError(
            "the model has no 1 × 1 convolution and no product with a constant float32 matrix: nothing to "
            f"prune (it has {', '.join(ops) or 'no layers with weights'})"
        )
    return found


def all_constants(graph: OnnxGraph) -> dict[str, np.ndarray]:
    """Constants by name, those that nodes hold included."""
    nodes = {
        node.outputs[0]: node.attributes["value"]
        for node in graph.nodes
        if node.op == "Constant" and isinstance(node.attributes.get("value"), np.ndarray)
    }
    return {**graph.constants, **nodes}


def last_weighted(graph: OnnxGraph, constants: Mapping[str, np.ndarray]) -> set[int]:
    """Positions of layers behind which no other layer comes: those that make the outputs."""
    needed: set[str] = set()
    last: set[int] = set()
    for node in reversed(graph.nodes):
        is_layer = node.op in WEIGHTED and len(node.inputs) > 1 and node.inputs[1] in constants
        leads_on = any(name in needed for name in node.outputs)
        if is_layer and not leads_on:
            last.add(node.position)
        if is_layer or leads_on:
            needed.update(node.inputs)
    return last


def names_of(layers: Sequence[GraphLayer]) -> list[Layer]:
    """The layers as `chosen_layers` takes them."""
    return [one.layer for one in layers]


def _layer(
    node: Node, constants: Mapping[str, np.ndarray], uses: Mapping[str, int], *, is_last: bool
) -> GraphLayer | None:
    if node.op not in ("Conv", "Gemm", "MatMul") or len(node.inputs) < 2 or node.inputs[0] in constants:
        return None
    stored = constants.get(node.inputs[1])
    if stored is None or stored.dtype != np.float32 or not stored.size:
        return None
    bias = constants.get(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    has_other_bias = len(node.inputs) > 2 and bool(node.inputs[2]) and (bias is None or bias.ndim != 1)
    if node.op == "Conv":
        if not _is_pointwise(node, stored):
            return None
        weight, is_turned = stored.reshape(stored.shape[0], -1), False
    else:
        if stored.ndim != 2 or not _is_plain(node):
            return None
        is_turned = node.op == "MatMul" or not node.attributes.get("transB", 0)
        weight = stored.T if is_turned else stored
    kind = "pointwise" if node.op == "Conv" else "linear"
    name = node.name or node.outputs[0]
    num_columns = uses.get(node.inputs[0], 1)
    why = _why_dense(kind, weight.shape[1], num_columns, is_last=is_last)
    layer = Layer(name, kind, stored.shape, num_columns, why)
    stride = tuple(node.attributes.get("strides", (1, 1)))
    takes_bias = node.op != "MatMul" and not has_other_bias
    return GraphLayer(
        node,
        layer,
        weight.astype(np.float64),
        None if has_other_bias else bias,
        takes_bias,
        stride,
        is_turned,
    )


def _why_dense(kind: str, num_inputs: int, num_columns: int, *, is_last: bool) -> str:
    if is_last:
        return "classifier"
    if kind == "pointwise" and num_columns == 1:
        # as in squeeze and excite: no time is gained, and calibration inputs are few
        return "one pixel"
    return "few inputs" if num_inputs <= FEW_INPUTS else ""


def _is_pointwise(node: Node, weight: np.ndarray) -> bool:
    return (
        weight.ndim == 4
        and weight.shape[2:] == (1, 1)
        and node.attributes.get("group", 1) == 1
        and not any(node.attributes.get("pads", ()))
    )


def _is_plain(node: Node) -> bool:
    known = node.attributes
    is_scaled = known.get("alpha", 1.0) != 1.0 or known.get("beta", 1.0) != 1.0
    return not known.get("transA", 0) and not is_scaled
