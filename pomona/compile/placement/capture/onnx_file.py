"""Graphs of ONNX models: their nodes with real shapes, constants folded, views left out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.compile.placement.capture.onnx_costs import SHAPE_ONLY, VIEWS, onnx_flops, onnx_word
from pomona.compile.placement.capture.onnx_shapes import TensorType, tensor_types
from pomona.compile.placement.graph import Graph
from pomona.compile.placement.node_list import NodeList
from pomona.foundation.errors import DataError, MissingExtraError


def capture_onnx(
    model: Path | bytes, *, name: str = "", batch: int = 1, sizes: Mapping[str, int] | None = None
) -> Graph:
    """The graph of an ONNX file, or of a model's bytes, of any opset.

    Open axes are fixed as `tensor_types` says. What depends on no input is stored, as a runtime folds it;
    functions of the model are inlined; Loop, Scan and If are one node. Raises DataError for a file that is no
    model or whose shapes cannot be told.
    """
    try:
        import onnx
        import onnx.inliner
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx") from error
    content = _load(model, name)
    if content.functions:
        content = onnx.inliner.inline_local_functions(content)
    types = tensor_types(content, batch=batch, sizes=sizes)
    title = name or (model.stem if isinstance(model, Path) else content.graph.name)
    return _Reader(content.graph, types).graph(title or "onnx")


def _load(model: Path | bytes, name: str) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    shown = name or str(model if isinstance(model, Path) else "the ONNX model")
    try:
        # weights in files of their own are not needed: their shapes stand in the model
        content = (
            onnx.load_model_from_string(model)
            if isinstance(model, bytes)
            else onnx.load(str(model), load_external_data=False)
        )
    except OSError as error:
        raise DataError(f"cannot read {shown}: {error.strerror or error}") from error
    except (DecodeError, ValueError) as error:
        raise DataError(f"{shown} should be an ONNX model, but cannot be read as one: {error}") from error
    if not content.graph.node:
        raise DataError(f"{shown} should be an ONNX model with nodes, but has none: export it again")
    return content


class _Reader:
    def __init__(self, graph: Any, types: Mapping[str, TensorType]) -> None:
        self.source = graph
        self.types = types
        self.nodes = NodeList()
        self.node_of: dict[str, int] = {}
        # names of what is known before the model runs: weights and what follows from them
        self.constants = {tensor.name for tensor in (*graph.initializer, *_sparse(graph))}

    def graph(self, name: str) -> Graph:
        for value in self.source.input:
            if value.name not in self.constants:
                self._store("input", value.name)
        for node in self.source.node:
            self._add(node)
        return self.nodes.graph(name)

    def _add(self, node: Any) -> None:
        reads = _reads(node)
        made = [output for output in node.output if output]
        is_known = node.op_type in SHAPE_ONLY or all(read in self.constants for read in reads)
        # what is drawn at random is no constant, though it reads nothing
        if is_known and onnx_word(node.op_type) != "random":
            self.constants.update(made)
            return
        if node.op_type in VIEWS and reads[0] not in self.constants:
            self.node_of[made[0]] = self._source(reads[0])
            self.constants.update(made[1:])
            return
        sources = {self._source(read) for read in reads}
        inputs = [self._type(read, node).shape if read else () for read in node.input]
        types = [self._type(output, node) for output in made]
        operator = node.op_type
        whole = self.nodes.add(
            onnx_word(operator),
            node.name.strip("/") or f"{operator}/{made[0]}",
            types[0].shape,
            types[0].size_bytes,
            sources=sources,
            flops=onnx_flops(operator, _attributes(node), inputs, [one.shape for one in types]),
            traffic_bytes=self._traffic_bytes(node, reads, types),
        )
        self.node_of.update(dict.fromkeys(made, whole))
        if len(made) > 1:
            for output, one in zip(made, types, strict=True):
                self.node_of[output] = self.nodes.add_item(whole, one.shape, one.size_bytes)

    def _traffic_bytes(self, node: Any, reads: list[str], types: list[TensorType]) -> float:
        written = sum(one.size_bytes for one in types)
        if onnx_word(node.op_type) == "gather":
            # of the table only the rows that are asked for
            return 2 * written + sum(self._type(read, node).size_bytes for read in reads[1:])
        return written + sum(self._type(read, node).size_bytes for read in reads)

    def _source(self, tensor: str) -> int:
        if tensor not in self.node_of:
            self._store("parameter" if tensor in self.constants else "input", tensor)
        return self.node_of[tensor]

    def _store(self, op: str, tensor: str) -> None:
        kind = self.types.get(tensor, TensorType((), 0.0))
        self.node_of[tensor] = self.nodes.add(op, tensor, kind.shape, kind.size_bytes, is_stored=True)

    def _type(self, tensor: str, node: Any) -> TensorType:
        if tensor in self.types:
            return self.types[tensor]
        raise DataError(
            f"the shape of {tensor!r} ({node.op_type}) of the ONNX model cannot be told: "
            "export the model with fixed shapes"
        )


def _reads(node: Any) -> list[str]:
    """The tensors that a node reads, those that its inner graphs take from outside among them."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            own = {value.name for value in (*inner.input, *inner.initializer)}
            for child in inner.node:
                names.extend(name for name in _reads(child) if name not in own)
                own.update(child.output)
    return list(dict.fromkeys(names))


def _attributes(node: Any) -> dict[str, Any]:
    import onnx

    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute if not one.ref_attr_name}


def _sparse(graph: Any) -> list[Any]:
    return [tensor.values for tensor in graph.sparse_initializer]
