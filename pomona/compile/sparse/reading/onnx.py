"""An ONNX graph as a network of steps, with the nodes that no step stands for left to ONNX Runtime."""

from collections.abc import Mapping

import numpy as np

from pomona.compile.sparse.network import Builder, External, Foreign, Network, Value, image_shape
from pomona.compile.sparse.reading.constants import folded
from pomona.compile.sparse.reading.elementwise import ELEMENTWISE
from pomona.compile.sparse.reading.graph import GraphInput, Node, OnnxGraph
from pomona.compile.sparse.reading.layers import LAYERS
from pomona.compile.sparse.reading.pooling import POOLINGS
from pomona.compile.sparse.reading.shapes import SHAPES
from pomona.compile.sparse.reading.site import Known, NodeReader, Site
from pomona.foundation.errors import PomonaError, SettingError, SpecError

READERS: Mapping[str, NodeReader] = {**LAYERS, **POOLINGS, **SHAPES, **ELEMENTWISE}
"""Operator → what reads it. `constants.FOLDS` has those of which only constants are known."""

MOST_VALUES = 1 << 28
_FLOAT = 1


def read_onnx(graph: OnnxGraph, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Network:
    """The network of a graph for one example.

    `shapes` gives the shape of an example, without the batch, for inputs with free axes. Raises SpecError for
    a model that cannot be read at all: its inputs have free axes or are several examples at a time.
    """
    names = [entry.name for entry in graph.inputs]
    for name in shapes or {}:
        if name not in names:
            raise SettingError(f"shapes are for {', '.join(names)}, not for {name!r}")
    builder = Builder()
    symbols: dict[str, Known] = {**graph.constants}
    inputs = {}
    for entry in graph.inputs:
        _check_type(entry, graph)
        shape = _input_shape(entry, (shapes or {}).get(entry.name))
        inputs[entry.name] = symbols[entry.name] = Value(builder.tensor(image_shape(shape)), shape)
    inferred = _Inferred(graph, {name: value.shape for name, value in inputs.items()})
    for node in graph.nodes:
        known = tuple(symbols.get(name) if name else None for name in node.inputs)
        for name, value in zip(node.outputs, _read(node, known, builder, graph, inferred), strict=False):
            symbols[name] = value
    outputs = {name: _output(symbols[name], name, builder) for name in graph.outputs}
    return Network(inputs, builder.tensors, tuple(builder.steps), outputs)


def _read(
    node: Node, inputs: tuple[Known, ...], builder: Builder, graph: OnnxGraph, inferred: "_Inferred"
) -> tuple[Known, ...]:
    """What the node's outputs are; where no step stands for it, it is added as an external node."""
    num_steps = len(builder.steps)
    try:
        if all(known is None or isinstance(known, np.ndarray) for known in inputs):
            return folded(node, list(inputs))  # type: ignore[arg-type]
        if node.op not in READERS:
            raise SpecError("no step computes it")
        result = READERS[node.op](Site(node, inputs, builder, graph.opset))
        results = result if isinstance(result, tuple) else (result,)
        for value in results:
            _check_size(value)
        return results
    except PomonaError as error:
        reason = str(error)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError) as error:
        # a file may say anything: what this reader trips over is shown to ONNX Runtime
        reason = f"its attributes make no sense ({type(error).__name__})"
    del builder.steps[num_steps:]
    read = {
        name: value for name, value in zip(node.inputs, inputs, strict=True) if name and value is not None
    }
    made = {name: inferred.value(name, builder) for name in node.outputs if name}
    builder.steps.append(External(node, reason, read, made))
    return tuple(made.get(name) for name in node.outputs)


class _Inferred:
    """Shapes and types of values as ONNX infers them, asked for only when a node is external."""

    def __init__(self, graph: OnnxGraph, shapes: Mapping[str, tuple[int, ...]]):
        self._graph = graph
        self._shapes = shapes
        self._known: dict[str, tuple[int, tuple[int, ...]]] | None = None

    def value(self, name: str, builder: Builder) -> Value | Foreign:
        """A new tensor where the value is of float32 with a known shape and a batch of one."""
        if self._known is None:
            self._known = _inferred_shapes(self._graph, self._shapes)
        kind, shape = self._known.get(name, (0, ()))
        is_tensor = kind == _FLOAT and len(shape) > 0 and shape[0] == 1 and min(shape) > 0
        if not is_tensor or np.prod(shape, dtype=np.float64) > MOST_VALUES:
            return Foreign(f"foreign {name}", kind)
        return Value(builder.tensor(image_shape(shape)), shape)


def _inferred_shapes(
    graph: OnnxGraph, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Name → ONNX's number for its type, and its shape, () where some axis is not known."""
    from onnx import ModelProto, shape_inference

    model = ModelProto()
    model.CopyFrom(graph.model)
    for entry in model.graph.input:
        for axis, size in zip(entry.type.tensor_type.shape.dim, shapes.get(entry.name, ()), strict=False):
            axis.dim_value = size
    for entry in model.graph.output:
        entry.type.tensor_type.ClearField("shape")
    try:
        found = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # a broken model: nothing is known
        return {}
    result = {}
    for entry in (*found.value_info, *found.output):
        tensor = entry.type.tensor_type
        axes = [axis.dim_value for axis in tensor.shape.dim]
        result[entry.name] = (tensor.elem_type, tuple(axes) if all(axes) else ())
    return result


def _check_type(entry: GraphInput, graph: OnnxGraph) -> None:
    """Raises SpecError unless the input is of float32, or small numbers that are made floats at once."""
    readers = {node.op for node in graph.nodes if entry.name in node.inputs}
    if entry.dtype != "float32" and not (entry.dtype in ("uint8", "int8") and readers == {"Cast"}):
        raise SpecError(f"the input {entry.name!r} is of {entry.dtype or 'an unknown type'}, not of float32")


def _input_shape(entry: GraphInput, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """With a batch of one in front."""
    if entry.axes is None or not entry.axes:
        raise SpecError(f"the input {entry.name!r} has no known number of axes")
    if isinstance(entry.axes[0], int) and entry.axes[0] != 1:
        raise SpecError(f"the input {entry.name!r} takes {entry.axes[0]} examples at a time, no other number")
    rest = entry.axes[1:]
    if given is not None:
        if len(given) != len(rest) or any(
            isinstance(axis, int) and axis != size for axis, size in zip(rest, given, strict=True)
        ):
            raise SettingError(f"the input {entry.name!r} has the axes {rest}, which {given} does not fit")
        rest = tuple(given)
    free = [axis for axis in rest if isinstance(axis, str)]
    if free:
        raise SpecError(
            f"the input {entry.name!r} has the free axes {', '.join(free)}: "
            f"give shapes={{{entry.name!r}: …}}, the shape of one example"
        )
    shape = (1, *(int(axis) for axis in rest))
    if np.prod(shape, dtype=np.float64) > MOST_VALUES:
        raise SpecError(f"the input {entry.name!r} of the shape {shape} is too large")
    return shape


def _check_size(value: Known) -> None:
    if isinstance(value, Value) and np.prod(value.shape, dtype=np.float64) > MOST_VALUES:
        raise SpecError(f"it makes a value of the shape {value.shape}, too large")


def _output(known: Known, name: str, builder: Builder) -> Value | Foreign:
    if isinstance(known, Value | Foreign):
        return known
    raise SpecError(f"the output {name!r} is constant")
