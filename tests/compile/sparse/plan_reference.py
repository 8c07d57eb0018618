"""A plan computed in PyTorch, a step at a time, in float64: slow and plain, to compare programs with."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pomona.compile.sparse.plan import Plan, Step


def run_plan(plan: Plan, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
    """The outputs of a plan, as float32."""
    known = {
        tensor.name: torch.as_tensor(array, dtype=torch.float64)
        for tensor, array in zip(plan.inputs, inputs, strict=True)
    }
    for step in plan.steps:
        known[step.output] = result = _run(step, known, plan.shape(step.output))
        assert tuple(result.shape) == plan.shape(step.output), (step.op, step.name, result.shape)
    return tuple(known[name].to(torch.float32).numpy() for name in plan.outputs)


def _run(step: Step, known: dict[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    xs = [known[name] for name in step.inputs]
    weights = {name: torch.as_tensor(np.array(array)) for name, array in step.weights.items()}
    weights = {name: w.double() if w.is_floating_point() else w.long() for name, w in weights.items()}
    result = _OPS[step.op](xs, weights, dict(step.settings), shape, known, step)
    return _activated(result, step, weights)


def _pointwise(xs, w, settings, shape, known, step):
    x = xs[0] * known[step.scale][:, None, None] if step.scale else xs[0]
    y = torch.einsum("oi,ihw->ohw", w["weight"], x) + w["bias"][:, None, None]
    return y + known[step.residual] if step.residual else y


def _convolution(xs, w, settings, shape, known, step):
    weight = w["weight"][:, None] if step.op == "depthwise" else w["weight"]
    x = xs[0][:, None, None] if xs[0].ndim == 1 else xs[0]
    groups = len(weight) if step.op == "depthwise" else settings["groups"]
    x = F.pad(x[None], _torch_padding(settings["padding"]))
    y = F.conv2d(x, weight, w["bias"], settings["stride"], 0, settings["dilation"], groups)[0].reshape(shape)
    return y + known[step.residual] if step.residual else y


def _transposed(xs, w, settings, shape, known, step):
    stride, dilation, groups = settings["stride"], settings["dilation"], settings["groups"]
    y = F.conv_transpose2d(xs[0][None], w["weight"], None, stride, 0, 0, groups, dilation)[0]
    top, left = settings["padding"][:2]
    # rows that an output padding adds beyond what the windows reach hold zeros
    y = F.pad(y, (0, max(0, left + shape[2] - y.shape[2]), 0, max(0, top + shape[1] - y.shape[1])))
    return y[:, top : top + shape[1], left : left + shape[2]] + w["bias"][:, None, None]


def _groups(xs, w, settings, shape, known, step):
    return F.group_norm(xs[0][None], settings["groups"], w["scale"], w["bias"], settings["epsilon"])[0]


def _over_pixels(y: Tensor, like: Tensor) -> Tensor:
    return y[:, None, None] if y.ndim == 1 and like.ndim == 3 else y


def _average(xs, w, settings, shape, known, step):
    return _windows(xs[0], settings, shape, 0.0).nan_to_num(0).sum(-1) / _counts(xs[0], settings, shape)


def _counts(x: Tensor, settings: dict, shape: tuple[int, ...]) -> Tensor:
    """How many cells of every window count: of the image, or of its padding too."""
    cells = torch.ones(1, *x.shape[1:], dtype=torch.float64)
    if settings["counts_padding"]:
        cells = F.pad(cells, _torch_padding(settings["padding"]), value=1.0)
        settings = {**settings, "padding": (0, 0, 0, 0)}
    return _windows(cells, settings, shape, 0.0).sum(-1)


def _windows(x: Tensor, settings: dict, shape: tuple[int, ...], fill: float) -> Tensor:
    (kh, kw), (sh, sw) = settings["kernel"], settings["stride"]
    x = F.pad(x, _torch_padding(settings["padding"]), value=fill)
    more = [max(0, (size - 1) * s + k - have) for size, s, k, have in
            zip(shape[1:], (sh, sw), (kh, kw), x.shape[1:], strict=True)]  # fmt: skip
    x = F.pad(x, (0, more[1], 0, more[0]), value=fill)
    windows = x.unfold(1, kh, sh).unfold(2, kw, sw)[:, : shape[1], : shape[2]]
    return windows.reshape(len(x), *shape[1:], kh * kw)


def _resize(xs, w, settings, shape, known, step):
    rows = torch.lerp(xs[0][:, w["row_low"]], xs[0][:, w["row_high"]], w["row_fraction"][:, None])
    return torch.lerp(rows[:, :, w["column_low"]], rows[:, :, w["column_high"]], w["column_fraction"])


def _pad(xs, w, settings, shape, known, step):
    padding = (*_torch_padding(settings["padding"]), *settings["channels"])
    return F.pad(xs[0], padding, value=settings["value"])


def _torch_padding(padding: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    top, left, bottom, right = padding
    return left, right, top, bottom


def _activated(x: Tensor, step: Step, weights: dict[str, Tensor]) -> Tensor:
    settings = step.settings
    if step.activation == "clip":
        return x.clamp(settings["lower"], settings["upper"])
    if step.activation == "hard_sigmoid":
        return (settings["alpha"] * x + settings["beta"]).clamp(0, 1)
    if step.activation == "prelu":
        return torch.where(x > 0, x, x * _over_pixels(weights["slope"], x))
    return _ACTIVATIONS[step.activation](x)


_ACTIVATIONS = {
    "none": lambda x: x,
    "sigmoid": torch.sigmoid,
    "hard_swish": F.hardswish,
    "silu": F.silu,
    "tanh": torch.tanh,
    "gelu": F.gelu,
}

_OPS = {
    "pointwise": _pointwise,
    "depthwise": _convolution,
    "convolution": _convolution,
    "transposed_convolution": _transposed,
    "linear": lambda xs, w, settings, shape, known, step: w["weight"] @ xs[0] + w["bias"],
    "group_normalisation": _groups,
    "add": lambda xs, w, settings, shape, known, step: xs[0] + _over_pixels(xs[1], xs[0]),
    "multiply": lambda xs, w, settings, shape, known, step: xs[0] * _over_pixels(xs[1], xs[0]),
    "activation": lambda xs, w, settings, shape, known, step: xs[0],
    "global_average_pool": lambda xs, w, settings, shape, known, step: xs[0].mean((1, 2)),
    "average_pool": _average,
    "max_pool": lambda xs, w, settings, shape, known, step: _windows(xs[0], settings, shape, -torch.inf).amax(
        -1
    ),
    "resize": _resize,
    "concat": lambda xs, w, settings, shape, known, step: torch.cat(xs),
    "select": lambda xs, w, settings, shape, known, step: xs[0][w["channels"]],
    "pad": _pad,
    "softmax": lambda xs, w, settings, shape, known, step: xs[0].softmax(0),
    "reshape": lambda xs, w, settings, shape, known, step: xs[0].reshape(shape),
    "transpose": lambda xs, w, settings, shape, known, step: xs[0].permute(settings["order"]).contiguous(),
}
