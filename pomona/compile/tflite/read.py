"""A TFLite file as a list of operations on named tensors, with constants as float32 arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.tflite.sparse_weights import with_zeros
from pomona.foundation.errors import ArtifactError, MissingExtraError

TYPES = {0: np.float32, 1: np.float16, 2: np.int32, 4: np.int64, 6: np.bool_}
"""TFLite's number of a type → NumPy's; other types are not read."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation; a missing optional input is called ""."""

    name: str
    """TFLite's, as CONV_2D; of a custom operation its own."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[str, Any]
    """As TFLite names them."""
    custom: bytes = b""


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A model of static shapes, in the order in which it runs."""

    operations: tuple[Operation, ...]
    shapes: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, np.ndarray]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_tflite(path: str | Path) -> TfliteModel:
    """The model in a file. Raises ArtifactError for what is no whole TFLite file of one float graph."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "perceive") from error
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
    if content[4:8] != b"TFL3":
        raise ArtifactError(f"{path} is no TFLite model")
    try:
        return _model(schema.ModelT.InitFromPackedBuf(content, 0), schema, str(path))
    except ArtifactError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ArtifactError(f"{path} is a broken TFLite model: {reason}") from error


def _model(model: Any, schema: Any, path: str) -> TfliteModel:
    if len(model.subgraphs) != 1:
        raise ArtifactError(f"{path} has {len(model.subgraphs)} graphs; models with one are read")
    graph = model.subgraphs[0]
    names = [f"{place}:{tensor.name.decode(errors='replace')}" for place, tensor in enumerate(graph.tensors)]
    shapes, constants = {}, {}
    for name, tensor in zip(names, graph.tensors, strict=True):
        shapes[name] = tuple(int(n) for n in tensor.shape) if tensor.shape is not None else ()
        if any(n < 1 for n in shapes[name]):
            raise ArtifactError(f"{path}: {name} has no static shape")
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            values = _values(bytes(data), tensor.type, f"{path}: {name}")
            sparsity = tensor.sparsity
            dense = values if sparsity is None else with_zeros(values, sparsity, shapes[name])
            constants[name] = dense.reshape(shapes[name])
    operators = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
    operations = [
        _operation(one, model.operatorCodes[one.opcodeIndex], operators, names) for one in graph.operators
    ]
    return TfliteModel(
        tuple(operations),
        shapes,
        constants,
        tuple(names[place] for place in graph.inputs),
        tuple(names[place] for place in graph.outputs),
    )


def _values(data: bytes, kind: int, where: str) -> np.ndarray:
    if kind not in TYPES:
        raise ArtifactError(f"{where} is not stored as a float: quantised models are not read")
    array = np.frombuffer(data, TYPES[kind])
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _operation(one: Any, code: Any, operators: Mapping[int, str], names: list[str]) -> Operation:
    name = operators.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?")
    if name == "CUSTOM":
        name = (code.customCode or b"?").decode(errors="replace")
    custom = bytes(one.customOptions) if one.customOptions is not None else b""
    return Operation(
        name,
        tuple(names[place] if place >= 0 else "" for place in one.inputs),
        tuple(names[place] for place in one.outputs),
        vars(one.builtinOptions) if one.builtinOptions is not None else {},
        custom,
    )
