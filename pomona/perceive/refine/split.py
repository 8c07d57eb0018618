"""A TFLite model cut in two where LiteRT lacks an operation: both halves are models that LiteRT runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import AssetError, MissingExtraError

FILE_IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class CustomOperation:
    """An operation that is not one of TFLite's own; tensors by their numbers in the model."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]


def read_model(path: Path) -> Any:
    """The model of a file as the tree of objects of TFLite's schema."""
    schema = _schema()
    content = path.read_bytes()
    if content[4:8] != FILE_IDENTIFIER:
        raise AssetError(f"{path.name} is not a TFLite model: fetch it anew")
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def custom_operations(model: Any) -> list[CustomOperation]:
    """The operations of the model that are not TFLite's own, in the order they are run."""
    from flatbuffers import flexbuffers

    found = []
    for operator in model.subgraphs[0].operators:
        name = model.operatorCodes[operator.opcodeIndex].customCode
        if name:
            raw = operator.customOptions
            options: Any = {} if raw is None else flexbuffers.GetRoot(bytes(raw)).Value
            inputs, outputs = (tuple(map(int, side)) for side in (operator.inputs, operator.outputs))
            found.append(CustomOperation(name.decode(), inputs, outputs, options))
    return found


def sub_model(model: Any, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The part of a model between two sets of its tensors, as a file's content.

    Inputs and outputs are in the order given. An operation on the way that LiteRT lacks stays in.
    """
    import flatbuffers

    schema = _schema()
    graph = model.subgraphs[0]
    operators = _between(graph, inputs, outputs)
    touched = [number for operator in operators for number in (*operator.inputs, *operator.outputs)]
    kept = sorted({int(number) for number in (*touched, *inputs, *outputs) if number >= 0})
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}
    buffers = [schema.BufferT()]
    part = schema.SubGraphT()
    part.tensors = [_with_buffer(graph.tensors[number], model.buffers, buffers) for number in kept]
    part.operators = [_renumbered(operator, place) for operator in operators]
    part.inputs, part.outputs = _places(inputs, place), _places(outputs, place)
    whole = schema.ModelT()
    whole.version, whole.operatorCodes = model.version, model.operatorCodes
    whole.subgraphs, whole.buffers = [part], buffers
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(whole.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _between(graph: Any, inputs: Sequence[int], outputs: Sequence[int]) -> list[Any]:
    """The operations that the outputs need when the inputs are given, in the model's order."""
    needed, known = set(outputs), set(inputs)
    chosen = []
    for operator in reversed(graph.operators):
        if needed.intersection(map(int, operator.outputs)) - known:
            chosen.append(operator)
            needed.update(map(int, operator.inputs))
    return chosen[::-1]


def _with_buffer(tensor: Any, old: list[Any], new: list[Any]) -> Any:
    """A copy of the tensor whose constant, if it has one, is put at the end of the new buffers."""
    copy = _copied(tensor)
    if old[tensor.buffer].data is None:
        copy.buffer = 0
    else:
        copy.buffer = len(new)
        new.append(old[tensor.buffer])
    return copy


def _renumbered(operator: Any, place: dict[int, int]) -> Any:
    copy = _copied(operator)
    copy.inputs, copy.outputs = _places(operator.inputs, place), _places(operator.outputs, place)
    return copy


def _places(numbers: Iterable[int], place: dict[int, int]) -> np.ndarray:
    return np.array([place[int(number)] for number in numbers], np.int32)


def _copied(thing: Any) -> Any:
    copy = type(thing)()
    vars(copy).update(vars(thing))
    return copy


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "perceive") from error
    return schema_py_generated
