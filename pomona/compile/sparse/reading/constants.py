"""What nodes of constants come to: shapes and weights that a file computes as it goes."""

from collections.abc import Callable

import numpy as np

from pomona.compile.sparse.reading.graph import Node
from pomona.foundation.errors import SpecError

MOST_VALUES = 1 << 27

Inputs = list[np.ndarray | None]


def folded(node: Node, inputs: Inputs) -> tuple[np.ndarray, ...]:
    """The outputs of a node whose inputs are all constants, None where one is left out.

    Raises SpecError for an operator that is not among `FOLDS`, or whose result would be too large.
    """
    if node.op not in FOLDS:
        raise SpecError("no step computes it")
    results = FOLDS[node.op](node, inputs)
    results = results if isinstance(results, tuple) else (results,)
    return tuple(np.asarray(result) for result in results)


def _constant(node: Node, inputs: Inputs) -> np.ndarray:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in node.attributes:
            kind = {"value_floats": np.float32, "value_float": np.float32}.get(name)
            value = node.attributes[name]
            if name == "value":
                return np.asarray(value)
            return np.asarray(value, kind or np.int64)
    raise SpecError("it has no value of numbers")


def _filled(node: Node, inputs: Inputs) -> np.ndarray:
    shape = _whole(inputs[0])
    if np.prod(shape, dtype=np.float64) > MOST_VALUES:
        raise SpecError(f"it makes a constant of shape {shape}, too large")
    value = np.asarray(node.attributes.get("value", np.zeros(1, np.float32))).reshape(-1)
    return np.full(shape, value[0], value.dtype)


def _cast(node: Node, inputs: Inputs) -> np.ndarray:
    from onnx import helper

    return _known(inputs[0]).astype(helper.tensor_dtype_to_np_dtype(node.attributes["to"]))


def _squeeze(node: Node, inputs: Inputs) -> np.ndarray:
    axes = axes_of(node, inputs)
    return np.squeeze(_known(inputs[0]), axis=None if axes is None else tuple(axes))


def _unsqueeze(node: Node, inputs: Inputs) -> np.ndarray:
    return np.expand_dims(_known(inputs[0]), tuple(axes_of(node, inputs) or ()))


def _slice(node: Node, inputs: Inputs) -> np.ndarray:
    array = _known(inputs[0])
    return array[slices_of(node, inputs, array.ndim)]


def _expand(node: Node, inputs: Inputs) -> np.ndarray:
    shape = np.broadcast_shapes(_known(inputs[0]).shape, _whole(inputs[1]))
    if np.prod(shape, dtype=np.float64) > MOST_VALUES:
        raise SpecError(f"it makes a constant of shape {shape}, too large")
    return np.broadcast_to(_known(inputs[0]), shape)


def _divide(node: Node, inputs: Inputs) -> np.ndarray:
    top, bottom = _known(inputs[0]), _known(inputs[1])
    if top.dtype.kind not in "iu":
        return top / bottom
    # towards zero, as in C; nothing is divided by zero in a shape
    if not np.all(bottom):
        raise SpecError("it divides by zero")
    return (np.sign(top) * np.sign(bottom) * (np.abs(top) // np.abs(bottom))).astype(top.dtype)


def _dequantised(node: Node, inputs: Inputs) -> np.ndarray:
    array, scale = _known(inputs[0]), _known(inputs[1])
    zero = inputs[2] if len(inputs) > 2 and inputs[2] is not None else np.zeros_like(scale, array.dtype)
    if scale.ndim and scale.size > 1:
        axis = node.attributes.get("axis", 1) % array.ndim
        shape = [-1 if index == axis else 1 for index in range(array.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((array.astype(np.int64) - zero.astype(np.int64)) * scale).astype(scale.dtype)


def _range(node: Node, inputs: Inputs) -> np.ndarray:
    start, end, step = map(_known, inputs)
    if not step or abs((end - start) / step) > MOST_VALUES:
        raise SpecError(f"it counts from {start} to {end} by {step}")
    count = max(0, int(np.ceil((end - start) / step)))
    return start + np.arange(count, dtype=start.dtype) * step


def _split(node: Node, inputs: Inputs) -> tuple[np.ndarray, ...]:
    array, axis = _known(inputs[0]), node.attributes.get("axis", 0)
    return tuple(np.split(array, split_ends(node, inputs, array.shape[axis])[:-1], axis))


def axes_of(node: Node, inputs: list) -> list[int] | None:
    """The axes that a node names, as an attribute or (from opset 13 or 18 on) as its second input."""
    if "axes" in node.attributes:
        return list(node.attributes["axes"])
    if len(inputs) > 1 and inputs[1] is not None:
        return list(_whole(inputs[1]))
    return None


def slices_of(node: Node, inputs: list, num_axes: int) -> tuple[slice, ...]:
    """What a Slice node takes of every axis. Raises SpecError when that is not constant."""
    if "starts" in node.attributes:
        starts, ends = node.attributes["starts"], node.attributes["ends"]
        axes, steps = node.attributes.get("axes", range(len(starts))), [1] * len(starts)
    else:
        rest = [None if part is None else _whole(part) for part in [*inputs[1:], None, None][:4]]
        starts, ends = rest[0] or (), rest[1] or ()
        axes, steps = rest[2] or range(len(starts)), rest[3] or [1] * len(starts)
    result = [slice(None)] * num_axes
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step <= 0:
            raise SpecError("it slices backwards")
        result[axis] = slice(start, end, step)
    return tuple(result)


def split_ends(node: Node, inputs: list, size: int) -> list[int]:
    """Where the parts of a Split node end along its axis. Raises SpecError when that is not constant."""
    sizes = node.attributes.get("split")
    if sizes is None and len(inputs) > 1 and inputs[1] is not None:
        sizes = _whole(inputs[1])
    if sizes is None:
        count = node.attributes.get("num_outputs", len(node.outputs))
        each = -(-size // count)
        sizes = [min(each, size - start) for start in range(0, size, each)]
    if sum(sizes) != size or min(sizes) < 0 or len(sizes) != len(node.outputs):
        raise SpecError(f"it splits {size} into {list(sizes)}")
    return np.cumsum(sizes).tolist()


def reshaped(old: tuple[int, ...], wanted: tuple[int, ...], *, keeps_zero: bool = False) -> tuple[int, ...]:
    """The shape that a Reshape node gives: 0 keeps an axis, -1 is what is left. Raises SpecError."""
    size = int(np.prod(old, dtype=np.int64))
    shape = [old[i] if axis == 0 and not keeps_zero else axis for i, axis in enumerate(wanted)]
    known = int(np.prod([axis for axis in shape if axis != -1], dtype=np.int64))
    if shape.count(-1) == 1 and known:
        shape[shape.index(-1)] = size // known
    if min(shape, default=1) < 0 or int(np.prod(shape, dtype=np.int64)) != size:
        raise SpecError(f"it reshapes {old} to {tuple(wanted)}")
    return tuple(shape)


def _reshape(node: Node, inputs: Inputs) -> np.ndarray:
    array = _known(inputs[0])
    keeps_zero = bool(node.attributes.get("allowzero", 0))
    return array.reshape(reshaped(array.shape, _whole(inputs[1]), keeps_zero=keeps_zero))


def _elementwise(function: Callable[..., np.ndarray]) -> Callable[[Node, Inputs], np.ndarray]:
    return lambda node, inputs: function(*map(_known, inputs))


def _reduction(function: Callable[..., np.ndarray]) -> Callable[[Node, Inputs], np.ndarray]:
    def reduce(node: Node, inputs: Inputs) -> np.ndarray:
        axes = axes_of(node, inputs)
        keeps = bool(node.attributes.get("keepdims", 1))
        return function(_known(inputs[0]), axis=None if axes is None else tuple(axes), keepdims=keeps)

    return reduce


def _known(array: np.ndarray | None) -> np.ndarray:
    if array is None:
        raise SpecError("an input is missing")
    return array


def _whole(array: object) -> tuple[int, ...]:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        raise SpecError("what it needs as whole numbers is not constant")
    return tuple(array.reshape(-1).tolist())


FOLDS: dict[str, Callable[[Node, Inputs], np.ndarray | tuple[np.ndarray, ...]]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Identity": lambda node, inputs: _known(inputs[0]),
    "Cast": _cast,
    "Shape": lambda node, inputs: shape_part(node, _known(inputs[0]).shape),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Expand": _expand,
    "Split": _split,
    "Reshape": _reshape,
    "Gather": lambda node, inputs: np.take(
        _known(inputs[0]), _known(inputs[1]), axis=node.attributes.get("axis", 0)
    ),
    "Concat": lambda node, inputs: np.concatenate(list(map(_known, inputs)), node.attributes["axis"]),
    "Transpose": lambda node, inputs: np.transpose(_known(inputs[0]), node.attributes.get("perm")),
    "Range": _range,
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _divide,
    "Neg": _elementwise(np.negative),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(lambda x: 1 / x),
    "Exp": _elementwise(np.exp),
    "Pow": _elementwise(np.power),
    "Abs": _elementwise(np.abs),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "Equal": _elementwise(np.equal),
    "Where": _elementwise(np.where),
    "Min": _elementwise(lambda *arrays: np.minimum.reduce(arrays)),
    "Max": _elementwise(lambda *arrays: np.maximum.reduce(arrays)),
    "ReduceMean": _reduction(np.mean),
    "ReduceSum": _reduction(np.sum),
    "ReduceProd": _reduction(np.prod),
    "ReduceMax": _reduction(np.max),
    "DequantizeLinear": _dequantised,
}


def shape_part(node: Node, shape: tuple[int, ...]) -> np.ndarray:
    """What a Shape node gives of this shape."""
    part = slice(node.attributes.get("start", 0), node.attributes.get("end"))
    return np.asarray(shape[part], np.int64)
