"""Nodes that work on every value alone as steps: activations, sums, products."""

import math

import numpy as np

from pomona.compile.sparse.network import Value, image_shape
from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.site import NodeReader, Site
from pomona.foundation.errors import SpecError

Numbers = np.ndarray | np.floating


def _activated(name: str, **settings: Setting) -> NodeReader:
    return lambda site: _emitted(site, {"activation": name, **settings})


def _emitted(site: Site, settings: dict[str, Setting], slope: np.ndarray | None = None) -> Value:
    x = site.tensor()
    weights = {} if slope is None else {"slope": slope}
    output = site.emit("activation", x, site.shape(x), weights=weights, settings=settings)
    return Value(output, site.value().shape)


def _clip(site: Site) -> Value:
    lower, upper = site.number(1, "min", -math.inf), site.number(2, "max", math.inf)
    return _clipped(site, lower, upper)


def _clipped(site: Site, lower: float, upper: float) -> Value:
    return _emitted(site, {"activation": "clip", "lower": lower, "upper": upper})


def _bounded(is_lower: bool) -> NodeReader:
    def read(site: Site) -> Value:
        """Max or Min with a constant of one value."""
        value, constant, _ = _with_constant(site)
        if constant.size != 1:
            raise SpecError("it compares with more than one number")
        bound = float(constant.reshape(-1)[0])
        reordered = Site(site.node, (value,), site.builder, site.opset)
        return _clipped(reordered, bound if is_lower else -math.inf, math.inf if is_lower else bound)

    return read


def _hard_sigmoid(site: Site) -> Value:
    alpha, beta = float(site.attribute("alpha", 0.2)), float(site.attribute("beta", 0.5))
    return _emitted(site, {"activation": "hard_sigmoid", "alpha": alpha, "beta": beta})


def _gelu(site: Site) -> Value:
    if site.attribute("approximate", "none") != "none":
        raise SpecError("it approximates the error function")
    return _emitted(site, {"activation": "gelu"})


def _leaky(site: Site) -> Value:
    slope = np.float32(site.attribute("alpha", 0.01))
    return _emitted(site, {"activation": "prelu"}, np.full(site.shape(site.tensor())[:1], slope))


def _prelu(site: Site) -> Value:
    slope = _by_channel(site.weight(1), site.value().shape)
    channels = site.shape(site.tensor())[:1]
    return _emitted(site, {"activation": "prelu"}, np.array(np.broadcast_to(slope, channels), np.float32))


def _add(site: Site) -> Value:
    if any(isinstance(known, np.ndarray) for known in site.inputs):
        value, constant, _ = _with_constant(site)
        return _scaled(site, value, np.float32(1), _by_channel(constant, value.shape))
    return _joined(site, "add", site.value(0), site.value(1))


def _subtract(site: Site) -> Value:
    if any(isinstance(known, np.ndarray) for known in site.inputs):
        value, constant, is_first = _with_constant(site)
        by_channel, sign = _by_channel(constant, value.shape), np.float32(-1)
        return (
            _scaled(site, value, sign, by_channel)
            if is_first
            else _scaled(site, value, np.float32(1), -by_channel)
        )
    negative = _scaled(site, site.value(1), np.float32(-1), np.float32(0))
    return _joined(site, "add", site.value(0), negative)


def _multiply(site: Site) -> Value:
    if any(isinstance(known, np.ndarray) for known in site.inputs):
        value, constant, _ = _with_constant(site)
        return _scaled(site, value, _by_channel(constant, value.shape), np.float32(0))
    return _joined(site, "multiply", site.value(0), site.value(1))


def _divide(site: Site) -> Value:
    value, constant, is_first = _with_constant(site)
    if is_first:
        raise SpecError("it divides by what is computed")
    return _scaled(site, value, 1 / _by_channel(constant, value.shape), np.float32(0))


def _negative(site: Site) -> Value:
    return _scaled(site, site.value(), np.float32(-1), np.float32(0))


def _joined(site: Site, op: str, first: Value, second: Value) -> Value:
    """Both of one shape, or one of them with one value for every channel."""
    rank = max(len(first.shape), len(second.shape))
    a, b = ((1,) * (rank - len(v.shape)) + v.shape for v in (first, second))
    if np.prod(a) < np.prod(b):
        a, b, first, second = b, a, second, first
    whole = site.builder.shaped(first, image_shape(a), name=site.name)
    if a == b:
        other = site.builder.shaped(second, image_shape(b), name=site.name)
    elif b == (1, a[1], *(1,) * (rank - 2)):
        other = site.builder.shaped(second, (a[1],), name=site.name)
    else:
        raise SpecError(f"it joins values of the shapes {a} and {b}")
    return Value(site.emit(op, (whole, other), site.shape(whole)), a)


def _with_constant(site: Site) -> tuple[Value, np.ndarray, bool]:
    """The computed input, the constant one, and whether the constant is the first."""
    if len(site.inputs) != 2:
        raise SpecError(f"it has {len(site.inputs)} inputs")
    is_first = isinstance(site.inputs[0], np.ndarray)
    return site.value(1 if is_first else 0), site.weight(0 if is_first else 1), is_first


def _by_channel(constant: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One number, or one for every channel of a value of this shape. Raises SpecError for other constants."""
    if constant.size == 1 and constant.ndim <= len(shape):
        return constant.reshape(())
    axes = (1,) * (len(shape) - constant.ndim) + constant.shape
    if axes == (1, shape[1], *(1,) * (len(shape) - 2)):
        return constant.reshape(-1)
    raise SpecError(f"its constant has the shape {constant.shape}, not one number a channel of {shape}")


def _scaled(site: Site, value: Value, scale: Numbers, shift: Numbers) -> Value:
    x = site.builder.shaped(value, image_shape(value.shape), name=site.name)
    return Value(site.scaled(x, scale, shift), value.shape)


def _same(site: Site) -> Value:
    return site.value()


def _cast(site: Site) -> Value:
    from onnx import TensorProto

    if site.attribute("to") != TensorProto.FLOAT:
        raise SpecError("it casts to another type than float32")
    return site.value()


def _dropout(site: Site) -> Value:
    training = site.constant(2)
    if training is not None and bool(training.reshape(-1)[0]):
        raise SpecError("it drops as in training")
    return site.value()


def _softmax(site: Site) -> Value:
    value = site.value()
    rank = len(value.shape)
    axis = site.attribute("axis", 1 if site.opset < 13 else -1) % rank
    shape = image_shape(value.shape)
    if site.opset < 13 and axis == 1:
        shape = (int(np.prod(value.shape)),)  # over all that follows
    elif axis != 1:
        if any(size != 1 for size in value.shape[1:axis]) or axis != rank - 1:
            raise SpecError(f"it is taken over axis {axis} of {value.shape}")
        shape = (value.shape[axis],)
    x = site.builder.shaped(value, shape, name=site.name)
    return Value(site.emit("softmax", x, shape), value.shape)


ELEMENTWISE: dict[str, NodeReader] = {
    "Relu": _activated("clip", lower=0.0, upper=math.inf),
    "Clip": _clip,
    "Max": _bounded(True),
    "Min": _bounded(False),
    "Sigmoid": _activated("sigmoid"),
    "Tanh": _activated("tanh"),
    "HardSwish": _activated("hard_swish"),
    "Swish": _activated("silu"),
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "LeakyRelu": _leaky,
    "PRelu": _prelu,
    "Add": _add,
    "Sum": _add,
    "Sub": _subtract,
    "Mul": _multiply,
    "Div": _divide,
    "Neg": _negative,
    "Identity": _same,
    "Cast": _cast,
    "Dropout": _dropout,
    "Softmax": _softmax,
}
