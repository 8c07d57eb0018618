"""An ONNX file as a graph of nodes in order, with its constants as arrays and its inputs' axes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import ArtifactError, MissingExtraError

OLDEST_OPSET, NEWEST_OPSET = 7, 26


@dataclass(frozen=True)
class Node:
    """One node. An input or output that is left out is called ""."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    position: int
    """In the file's list of nodes."""

    @property
    def where(self) -> str:
        """How a user finds it: operator and name."""
        return f"{self.op} {self.name or '→ ' + next(filter(None, self.outputs), '?')}"


@dataclass(frozen=True)
class GraphInput:
    """An input: its NumPy dtype, None where NumPy has none; an axis is a size, or a name where it is free."""

    name: str
    dtype: str | None
    axes: tuple[int | str, ...] | None


@dataclass(frozen=True)
class OnnxGraph:
    """The graph of a model; nodes read only what comes before them."""

    opset: int
    nodes: tuple[Node, ...]
    inputs: tuple[GraphInput, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, np.ndarray]
    model: Any
    """The ModelProto that it was read from."""


def read_graph(source: str | Path | bytes) -> OnnxGraph:
    """The graph of an ONNX file, or of the bytes of one.

    Raises ArtifactError, in one line, for what is no whole ONNX model: cut off, without a graph, with a node
    that reads what nobody makes, or in a circle.
    """
    model = _parsed(source)
    where = "the model" if isinstance(source, bytes) else str(source)
    graph = model.graph
    if not graph.node or not graph.output:
        raise ArtifactError(f"{where} is no ONNX model: it has no nodes or no outputs")
    try:
        constants = _constants(graph, where)
        inputs = tuple(_input(entry) for entry in graph.input if entry.name not in constants)
        nodes = [_node(entry, position) for position, entry in enumerate(graph.node)]
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(f"{where} is a broken ONNX model: {_first_line(error)}") from error
    known = {*constants, *(entry.name for entry in inputs)}
    ordered = _in_order(nodes, known, where)
    outputs = tuple(entry.name for entry in graph.output)
    for name in outputs:
        if name not in known:
            raise ArtifactError(f"{where}: no node makes the output {name!r}")
    return OnnxGraph(_opset(model, where), ordered, inputs, outputs, constants, model)


def _parsed(source: str | Path | bytes) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx") from error
    where = "the model" if isinstance(source, bytes) else str(source)
    try:
        return onnx.load_from_string(source) if isinstance(source, bytes) else onnx.load(str(source))
    except OSError as error:
        raise ArtifactError(f"cannot read {where}: {error.strerror or error}") from error
    except Exception as error:
        raise ArtifactError(f"{where} is no ONNX model, or is cut off: {_first_line(error)}") from error


def _constants(graph: Any, where: str) -> dict[str, np.ndarray]:
    from onnx import numpy_helper

    if graph.sparse_initializer:
        raise ArtifactError(f"{where} keeps weights as sparse tensors: save it with dense ones")
    constants = {}
    for entry in graph.initializer:
        try:
            constants[entry.name] = numpy_helper.to_array(entry)
        except Exception as error:
            reason = f"the weights {entry.name!r} are broken: {_first_line(error)}"
            raise ArtifactError(f"{where}: {reason}") from error
    return constants


def _input(entry: Any) -> GraphInput:
    from onnx import helper

    tensor = entry.type.tensor_type
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    except (KeyError, ValueError, TypeError):
        dtype = None
    if not tensor.HasField("shape"):
        return GraphInput(entry.name, dtype, None)
    axes: list[int | str] = []
    for index, axis in enumerate(tensor.shape.dim):
        is_size = axis.WhichOneof("value") == "dim_value" and axis.dim_value > 0
        axes.append(axis.dim_value if is_size else axis.dim_param or f"axis {index}")
    return GraphInput(entry.name, dtype, tuple(axes))


def _node(entry: Any, position: int) -> Node:
    from onnx import helper

    own = entry.domain not in ("", "ai.onnx")
    return Node(
        f"{entry.domain}.{entry.op_type}" if own else entry.op_type,
        entry.name,
        tuple(entry.input),
        tuple(entry.output),
        {attribute.name: _plain(helper.get_attribute_value(attribute)) for attribute in entry.attribute},
        position,
    )


def _plain(value: Any) -> Any:
    from onnx import TensorProto, numpy_helper

    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, int | float):
        return value
    if isinstance(value, Iterable):
        return tuple(_plain(item) for item in value)
    return value


def _in_order(nodes: list[Node], known: set[str], where: str) -> tuple[Node, ...]:
    """The nodes so that each reads only what is `known`, to which their outputs are added."""
    made = {name for node in nodes for name in node.outputs}
    ordered: list[Node] = []
    waiting = nodes
    while waiting:
        later = []
        for node in waiting:
            missing = [name for name in node.inputs if name and name not in known]
            if not missing:
                ordered.append(node)
                known.update(filter(None, node.outputs))
                continue
            if missing[0] not in made:
                raise ArtifactError(f"{where}: {node.where} reads {missing[0]!r}, which nobody makes")
            later.append(node)
        if len(later) == len(waiting):
            raise ArtifactError(f"{where}: {later[0].where} and others read each other in a circle")
        waiting = later
    return tuple(ordered)


def _opset(model: Any, where: str) -> int:
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise ArtifactError(
            f"{where} is written in opset {opset}, read are {OLDEST_OPSET} to {NEWEST_OPSET}: convert it"
        )
    return opset


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
