"""Shapes and types of all tensors of an ONNX model, its open axes fixed."""

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from pomona.foundation.errors import DataError, MissingExtraError


class TensorType(NamedTuple):
    shape: tuple[int, ...]
    element_bytes: float

    @property
    def size_bytes(self) -> float:
        return prod(self.shape) * self.element_bytes


def tensor_types(
    model: Any, *, batch: int = 1, sizes: Mapping[str, int] | None = None
) -> dict[str, TensorType]:
    """Name → type of every tensor whose shape can be told, after fixing open axes of `model` in place.

    An open first axis of an input takes `batch`, others the size that `sizes` has for their name. Shapes that
    inference leaves open are read off a run on zeros, where ONNX Runtime can run the model. Raises DataError
    for an open axis without a size.
    """
    import onnx

    fix_inputs(model, batch=batch, sizes=sizes or {})
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"the shapes of the ONNX model {model.graph.name!r} cannot be inferred: {reason}"
        ) from error
    graph = inferred.graph
    types: dict[str, TensorType] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        found = _static_type(value)
        if found is not None:
            types[value.name] = found
    for tensor in graph.initializer:
        types[tensor.name] = TensorType(tuple(tensor.dims), _element_bytes(tensor.data_type))
    wanted = {name for node in graph.node for name in node.output if name}
    open_names = wanted - set(types)
    return {**types, **_run_types(model, open_names)} if open_names else types


def fix_inputs(model: Any, *, batch: int, sizes: Mapping[str, int]) -> None:
    """Gives every open axis of an input its size, in place."""
    stored = {tensor.name for tensor in model.graph.initializer}
    known = {value.name for value in model.graph.input}
    for value in model.graph.input:
        if value.name in stored or not value.type.HasField("tensor_type"):
            continue
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_value > 0:
                continue
            name = dimension.dim_param or f"{value.name}.{axis}"
            size = sizes.get(name, batch if axis == 0 else None)
            if size is None:
                raise DataError(
                    f"axis {axis} of the ONNX input {value.name!r} is open and needs a size: "
                    f"give one for {name!r}"
                )
            dimension.Clear()
            dimension.dim_value = size
    if known:
        # what was inferred for open axes must not stand against the new sizes
        del model.graph.value_info[:]
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")


def _static_type(value: Any) -> TensorType | None:
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    kind = value.type.tensor_type
    if any(not dimension.HasField("dim_value") for dimension in kind.shape.dim):
        return None
    return TensorType(
        tuple(dimension.dim_value for dimension in kind.shape.dim), _element_bytes(kind.elem_type)
    )


def _element_bytes(data_type: int) -> float:
    import onnx

    try:
        size = onnx.helper.tensor_dtype_to_np_dtype(data_type).itemsize
    except (KeyError, TypeError):
        return 4.0
    return 0.5 if "INT4" in onnx.TensorProto.DataType.Name(data_type) else float(size)


def _run_types(model: Any, names: set[str]) -> dict[str, TensorType]:
    import numpy as np
    import onnx

    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    # the file's own version may be newer than the runtime, though its nodes are not
    wide.ir_version = min(wide.ir_version, 10)
    present = {value.name for value in wide.graph.output}
    wide.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names - present))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            wide.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        stored = {tensor.name for tensor in model.graph.initializer}
        feed = {
            value.name: np.zeros(
                [dimension.dim_value for dimension in value.type.tensor_type.shape.dim],
                onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
            )
            for value in model.graph.input
            if value.name not in stored
        }
        made = session.run([output.name for output in session.get_outputs()], feed)
    except Exception:
        # a model that cannot run here has tensors of unknown size: who needs one of them says so
        return {}
    named = zip(session.get_outputs(), made, strict=True)
    return {
        output.name: TensorType(value.shape, float(value.dtype.itemsize))
        for output, value in named
        if isinstance(value, np.ndarray) and output.name in names
    }
