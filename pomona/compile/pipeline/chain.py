"""An ONNX model as a chain of nodes that can be cut between any two, and the model of a part of it.

Nodes that read no input of the model are constants: every part that needs them has them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.pipeline.tensor import Tensor
from pomona.foundation.errors import ArtifactError, MissingExtraError, SettingError


@dataclass(frozen=True, eq=False)
class Chain:
    """Nodes in an order in which they can run. Place k is the one before node k; place 0 is the beginning."""

    model: Any
    nodes: tuple[Any, ...]
    constants: Mapping[str, Any]
    """Name of a constant → the node or the stored tensor that makes it."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    live: tuple[tuple[str, ...], ...]
    """Place → what is known there and still needed: the tensors that cross a cut at this place."""

    @cached_property
    def parameter_bytes(self) -> dict[str, int]:
        """Bytes of each constant as it is stored."""
        return {name: constant.ByteSize() for name, constant in self.constants.items()}

    @cached_property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """The constants that each node needs, those behind its own included."""
        return tuple(tuple(self._behind(node)) for node in self.nodes)

    def part_bytes(self, start: int, end: int) -> int:
        """Bytes of the constants that nodes start … end - 1 need, each counted once."""
        names = {name for needed in self.needs[start:end] for name in needed}
        return sum(self.parameter_bytes[name] for name in names)

    def part_needs(self, start: int, end: int) -> tuple[str, ...]:
        """The live tensors before `start` that nodes start … end - 1 read, or hand on as outputs."""
        read = {name for node in self.nodes[start:end] for name in _reads(node)}
        return tuple(name for name in self.live[start] if name in read)

    def part_gives(self, start: int, end: int) -> tuple[str, ...]:
        """The live tensors at `end` that nodes start … end - 1 make."""
        made = {name for node in self.nodes[start:end] for name in node.output}
        return tuple(name for name in self.live[end] if name in made)

    def part_model(self, start: int, end: int, tensors: Mapping[str, Tensor]) -> bytes:
        """The ONNX model of nodes start … end - 1, with the shapes that `tensors` says.

        Raises SettingError when it is larger than a file of that format can be.
        """
        onnx = _onnx()
        part = onnx.ModelProto()
        part.ir_version = self.model.ir_version
        part.producer_name = "pomona"
        part.opset_import.extend(self.model.opset_import)
        part.functions.extend(self.model.functions)
        part.graph.name = f"nodes {start} to {end - 1}"
        needed = {name for needs in self.needs[start:end] for name in needs}
        for name in (name for name in self.constants if name in needed):
            _add_constant(part.graph, self.constants[name])
        part.graph.node.extend(self.nodes[start:end])
        part.graph.input.extend(_described(tensors[name]) for name in self.part_needs(start, end))
        part.graph.output.extend(_described(tensors[name]) for name in self.part_gives(start, end))
        return _serialised(part)

    def _behind(self, node: Any) -> Iterator[str]:
        waiting, seen = [name for name in _reads(node) if name in self.constants], set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                yield name
                maker = self.constants[name]
                if hasattr(maker, "op_type"):
                    waiting += [other for other in _reads(maker) if other in self.constants]


def read_chain(model: str | Path | bytes) -> Chain:
    """The chain of a file or of its bytes. Raises ArtifactError when that is no ONNX model."""
    onnx = _onnx()
    try:
        proto = onnx.load_model_from_string(model) if isinstance(model, bytes) else onnx.load(str(model))
    except Exception as error:
        where = "these bytes" if isinstance(model, bytes) else str(model)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ArtifactError(f"cannot read {where} as an ONNX model: {reason}") from error
    if not proto.graph.node or not proto.graph.output:
        raise ArtifactError("the ONNX model has no nodes: there is nothing to cut")
    constants: dict[str, Any] = {tensor.name: tensor for tensor in proto.graph.initializer}
    constants |= {tensor.values.name: tensor for tensor in proto.graph.sparse_initializer}
    inputs = tuple(entry.name for entry in proto.graph.input if entry.name not in constants)
    outputs = tuple(entry.name for entry in proto.graph.output)
    nodes = []
    for node in proto.graph.node:
        if all(name in constants for name in _reads(node)) and not _is_random(node):
            constants |= {name: node for name in node.output if name}
        else:
            nodes.append(node)
    if constant := next((name for name in outputs if name in constants), None):
        raise ArtifactError(f"output {constant!r} of the model reads no input: it cannot come out of a chain")
    return Chain(proto, tuple(nodes), constants, inputs, outputs, _live(nodes, inputs, outputs))


def whole_model(path: Path) -> bytes:
    """The bytes of an ONNX file, with the weights that it keeps in files beside it.

    Raises ArtifactError when it cannot be read, SettingError when it is larger than 2 GB.
    """
    onnx = _onnx()
    try:
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
        if not any(tensor.external_data for tensor in model.graph.initializer):
            return content
        model = onnx.load(str(path))
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ArtifactError(f"cannot read {path} as an ONNX model: {reason}") from error
    return _serialised(model)


def _live(nodes: list[Any], inputs: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What crosses each place, in the order in which it is made."""
    made = {name: -1 for name in inputs}
    made |= {name: place for place, node in enumerate(nodes) for name in node.output if name}
    last = {name: place for place, node in enumerate(nodes) for name in _reads(node) if name in made}
    last |= {name: len(nodes) for name in outputs}
    opening: dict[int, list[str]] = {}
    for name in last:
        opening.setdefault(made[name] + 1, []).append(name)
    live: list[tuple[str, ...]] = []
    current: dict[str, None] = {}
    for place in range(len(nodes) + 1):
        # what node place - 1 was the last to read is gone
        current = {name: None for name in current if last[name] >= place}
        current |= {name: None for name in opening.get(place, ()) if last[name] >= place}
        live.append(tuple(current))
    return tuple([*live[:-1], tuple(outputs)])


def _reads(node: Any) -> list[str]:
    """What a node reads, what the graphs inside it read of the outside included."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            inside = {entry.name for entry in [*graph.input, *graph.initializer]}
            inside |= {name for inner in graph.node for name in inner.output}
            names += [name for inner in graph.node for name in _reads(inner) if name not in inside]
            names += [entry.name for entry in graph.output if entry.name not in inside]
    return names


def _is_random(node: Any) -> bool:
    return node.op_type.startswith("Random") or node.op_type in ("Multinomial", "Bernoulli")


def _add_constant(graph: Any, constant: Any) -> None:
    if hasattr(constant, "op_type"):
        # a node of several outputs stands for each of them
        if not any(node.output == constant.output for node in graph.node):
            graph.node.append(constant)
    elif hasattr(constant, "indices"):
        graph.sparse_initializer.append(constant)
    else:
        graph.initializer.append(constant)


def _described(tensor: Tensor) -> Any:
    helper = _onnx().helper
    return helper.make_tensor_value_info(
        tensor.name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype)), list(tensor.shape)
    )


def _serialised(message: Any) -> bytes:
    try:
        return message.SerializeToString()
    except Exception as error:
        raise SettingError(
            "a part of the model is larger than the 2 GB of a file: cut it more often"
        ) from error


def _onnx() -> Any:
    try:
        import onnx
        import onnx.helper
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx") from error
    return onnx
