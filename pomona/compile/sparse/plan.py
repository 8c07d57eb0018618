"""A network as a plan: steps with static shapes, one example, float32, channels first, from a closed table.

A tensor is (channel, height, width), a vector is (channel,); all are contiguous. What the operations mean,
with x the first input, is in `OPS`; paddings are (top, left, bottom, right), kernels, strides and dilations
(down, across). Where an operation has an `activation`, it is applied last:

    none            x
    clip            min(max(x, lower), upper), settings `lower` and `upper`, which may be infinite
    sigmoid         1 / (1 + e^-x)
    hard_sigmoid    min(max(alpha x + beta, 0), 1), settings `alpha` and `beta`
    hard_swish      x min(max(x / 6 + 1/2, 0), 1)
    silu            x / (1 + e^-x)
    tanh            tanh x
    gelu            x Φ(x), with the error function
    prelu           x where x > 0, else slope[channel] x, weight `slope`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

Setting = bool | int | float | str | tuple[int, ...]

ACTIVATIONS = ("none", "clip", "sigmoid", "hard_sigmoid", "hard_swish", "silu", "tanh", "gelu", "prelu")

OPS: dict[str, str] = {
    "pointwise": "activation(weight[out, in] @ (x * scale[in]) + bias[out] + residual), every pixel alone; "
    "`scale` (a vector) and `residual` (of the output's shape) are optional inputs",
    "depthwise": "each channel with its own weight[channel, down, across], bias[channel]; stride, padding, "
    "dilation; zeros lie outside; a vector or an image; activation",
    "convolution": "weight[out, in / groups, down, across], bias[out]; stride, padding, dilation, groups; "
    "activation; `residual` is optional",
    "transposed_convolution": "weight[in, out / groups, down, across], bias[out]; stride, padding, dilation, "
    "groups; activation; output s i - p + d k gathers x[i] weight[k]",
    "linear": "weight[out, in] @ x + bias[out] of a vector; activation",
    "group_normalisation": "(x - mean) / root(variance + `epsilon`) over each of `groups` groups of "
    "channels, times weight scale[channel], plus bias[channel]; activation",
    "add": "x + y of the same shape, or with y a vector that is added to every pixel; activation",
    "multiply": "x * y of the same shape, or with y a vector that every pixel is multiplied by; activation",
    "activation": "the activation alone",
    "global_average_pool": "the mean of every channel, a vector",
    "average_pool": "means of windows: kernel, stride, padding, `counts_padding` (whether cells of the "
    "padding count; what lies beyond it never does)",
    "max_pool": "largest of windows: kernel, stride, padding (-inf lies outside)",
    "resize": "row i is (1 - f) x[low] + f x[high], with f, low and high row i of the weights row_fraction "
    "(float32), row_low and row_high (int32); columns likewise with column_fraction and so on; setting "
    "`mode` is nearest when every fraction is 0, else linear",
    "concat": "the inputs' channels after one another",
    "select": "channel i is x[channels[i]], weight channels (int64): splits, slices and shuffles",
    "pad": "padding, `channels` (before, after), filled with `value`",
    "softmax": "over the channels, every pixel alone",
    "reshape": "the same numbers in the same order, another shape",
    "transpose": "axes in another `order`, as in NumPy; three axes",
}
"""Operation → what it computes. This is all that a program must know."""

FUSES_RESIDUAL = ("pointwise", "convolution")
FUSES_ACTIVATION = (
    "pointwise",
    "depthwise",
    "convolution",
    "transposed_convolution",
    "linear",
    "group_normalisation",
    "add",
    "multiply",
    "activation",
)


@dataclass(frozen=True)
class Tensor:
    """What flows between steps: a name, and (channel, height, width) or (channel,)."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Step:
    """One operation. `name` is what the user's file calls it; `output` is unique within a plan."""

    op: str
    inputs: tuple[str, ...]
    output: str
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    residual: str | None = None
    scale: str | None = None
    name: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """Every tensor that the step reads."""
        return (*self.inputs, *(extra for extra in (self.residual, self.scale) if extra is not None))

    @property
    def activation(self) -> str:
        """The activation that is applied last."""
        return str(self.settings.get("activation", "none"))


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which every tensor is made before it is read; each is made once.

    `outputs` are names of tensors, in order; an output may be read by later steps too, or be an input.
    """

    inputs: tuple[Tensor, ...]
    tensors: Mapping[str, Tensor]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.tensors[name].shape

    @property
    def weight_bytes(self) -> int:
        """What the dense weights occupy."""
        return sum(array.nbytes for step in self.steps for array in step.weights.values())


def without_weights(plan: Plan) -> Plan:
    """The same steps without their weights, for what is known of a program after it was packed."""
    return replace(plan, steps=tuple(replace(step, weights={}) for step in plan.steps))


def numbers(step: Step, name: str) -> tuple[int, ...]:
    """A setting of whole numbers, such as a padding or an order."""
    value = step.settings[name]
    return value if isinstance(value, tuple) else (int(value),)


def sparsity(step: Step) -> float:
    """The fraction of the step's `weight` that is exactly zero; 0 without one."""
    weight = step.weights.get("weight")
    return 0.0 if weight is None or not weight.size else 1.0 - np.count_nonzero(weight) / weight.size


def multiplications(plan: Plan, step: Step) -> int:
    """Multiplications of one run of the step with dense weights; 0 without a `weight`."""
    weight = step.weights.get("weight")
    if weight is None:
        return 0
    image = plan.shape(step.inputs[0] if step.op == "transposed_convolution" else step.output)
    return weight.size * int(np.prod(image[1:], dtype=np.int64))
