"""A network as parts that run one after another: plans, and models for ONNX Runtime between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.compile.sparse.network import External, Foreign, Network, Value, key_of, made_by
from pomona.compile.sparse.plan import Plan, Step
from pomona.compile.sparse.reading.graph import OnnxGraph
from pomona.foundation.errors import SpecError


@dataclass(frozen=True)
class NativePart:
    """Steps for a native program. Inputs and outputs go by the names of their tensors."""

    plan: Plan


@dataclass(frozen=True)
class OnnxPart:
    """Nodes for ONNX Runtime, as the bytes of a model. Its inputs and outputs have the file's names."""

    model: bytes
    inputs: Mapping[str, Value | Foreign]
    outputs: Mapping[str, Value | Foreign]
    externals: tuple[External, ...]


Part = NativePart | OnnxPart


def split(network: Network, graph: OnnxGraph) -> tuple[Part, ...]:
    """The parts in an order in which each reads only what earlier ones make.

    As few as there can be: a step goes into the earliest part of its kind that its inputs allow. Raises
    SpecError when a value whose type is not known would pass from one part to another.
    """
    parts: dict[int, list[Step | External]] = {}
    levels: dict[str, int] = {}
    for step in network.steps:
        lowest = max((levels.get(name, 0) for name in step.reads), default=0)
        level = lowest + (lowest % 2 != isinstance(step, External))
        parts.setdefault(level, []).append(step)
        levels.update(dict.fromkeys(made_by(step), level))
    ordered = [parts[level] for level in sorted(parts)]
    wanted = {key_of(value) for value in network.outputs.values()}
    result: list[Part] = []
    for index, steps in enumerate(ordered):
        later = {name for others in ordered[index + 1 :] for step in others for name in step.reads}
        result.append(_part(network, graph, steps, wanted | later))
    return tuple(result)


def _part(network: Network, graph: OnnxGraph, steps: list[Step | External], wanted: set[str]) -> Part:
    made = [name for step in steps for name in made_by(step)]
    outputs = tuple(name for name in made if name in wanted)
    externals = tuple(step for step in steps if isinstance(step, External))
    if externals:
        return _onnx_part(graph, externals, set(outputs))
    reads = dict.fromkeys(name for step in steps for name in step.reads)
    inputs = tuple(network.tensors[name] for name in reads if name not in set(made))
    tensors = {name: network.tensors[name] for name in (*reads, *made)}
    return NativePart(Plan(inputs, tensors, tuple(s for s in steps if isinstance(s, Step)), outputs))


def _onnx_part(graph: OnnxGraph, externals: tuple[External, ...], wanted: set[str]) -> OnnxPart:
    made = {name for external in externals for name in external.outputs}
    inputs: dict[str, Value | Foreign] = {}
    constants: dict[str, np.ndarray] = {}
    for external in externals:
        for name, known in external.inputs.items():
            if isinstance(known, np.ndarray):
                constants[name] = known
            elif name not in made:
                inputs[name] = known
    outputs = {
        name: value
        for external in externals
        for name, value in external.outputs.items()
        if key_of(value) in wanted
    }
    return OnnxPart(_model(graph, externals, inputs, outputs, constants), inputs, outputs, externals)


def _model(
    graph: OnnxGraph,
    externals: tuple[External, ...],
    inputs: Mapping[str, Value | Foreign],
    outputs: Mapping[str, Value | Foreign],
    constants: Mapping[str, np.ndarray],
) -> bytes:
    from onnx import helper, numpy_helper

    part = helper.make_graph(
        [graph.model.graph.node[external.node.position] for external in externals],
        "part",
        [_described(name, value) for name, value in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(part, opset_imports=list(graph.model.opset_import))
    model.ir_version = graph.model.ir_version
    return model.SerializeToString()


def _described(name: str, value: Value | Foreign) -> Any:
    from onnx import TensorProto, helper

    if isinstance(value, Value):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
    if not value.type:
        raise SpecError(f"the type of {name!r}, which ONNX Runtime computes and reads again, is not known")
    return helper.make_tensor_value_info(name, value.type, None)
