"""Which tensors are packed: a plan with the packing steps written in, and the layout of every tensor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pomona.compile.sparse.layout import Layout, Tile, as_image, packed, plain, spaced
from pomona.compile.sparse.plan import Plan, Step, Tensor

PACK, SPREAD = "pack", "spread"
"""Steps that plans do not have: pixels packed in blocks, and zeros put between pixels."""


ELEMENTWISE = ("add", "multiply", "activation", PACK)
READS_PACKED = ("pointwise", "convolution", "global_average_pool", *ELEMENTWISE)
"""Operations that read packed tensors; convolutions only as their residual."""
TAKES_GAPS = (*READS_PACKED, "depthwise", "max_pool", "average_pool", "concat", "select", "pad", SPREAD)
"""Operations that find every channel by a stride of its own."""

WRITES_PACKED = ("pointwise", "depthwise", "convolution", *ELEMENTWISE)


@dataclass(frozen=True)
class Arrangement:
    """The plan that is lowered, and where its tensors' pixels lie."""

    plan: Plan
    layouts: Mapping[str, Layout]


def arrange(plan: Plan, tiles: Mapping[tuple[int, int], Tile], lanes: int) -> Arrangement:
    """The arrangement of `plan` with one tile for every size (height, width) that 1x1 convolutions read."""
    narrowed = _without_single_pixels(_without_transposed(_with_scales_apart(plan)))
    together = {name for name in narrowed.tensors if _can_be_packed(narrowed, name)}
    whole = _with_packing(narrowed, together)
    together |= {step.output for step in whole.steps if step.op == PACK}
    layouts = {}
    for name, tensor in whole.tensors.items():
        size = as_image(tensor.shape)[1:]
        if name in together and size in tiles:
            layouts[name] = packed(tensor.shape, tiles[size], lanes)
        else:
            layouts[name] = (spaced if _can_be_spaced(whole, name) else plain)(tensor.shape)
    return Arrangement(whole, layouts)


def is_single_pixel(plan: Plan, step: Step) -> bool:
    """Whether a 1x1 convolution is a dense layer on one pixel, without a residual."""
    return as_image(plan.shape(step.output))[1:] == (1, 1) and step.residual is None


def _without_single_pixels(plan: Plan) -> Plan:
    def narrowed(step: Step) -> Step:
        if step.op != "pointwise" or not is_single_pixel(plan, step):
            return step
        weight = step.weights["weight"]
        return replace(step, op="linear", weights={**step.weights, "weight": weight.reshape(len(weight), -1)})

    return replace(plan, steps=tuple(narrowed(step) for step in plan.steps))


def _without_transposed(plan: Plan) -> Plan:
    """Transposed convolutions as convolutions of spread images, their kernels turned round."""
    tensors, steps = dict(plan.tensors), []
    for step in plan.steps:
        if step.op == "transposed_convolution":
            spread = f"{step.output} spread"
            channels, *size = as_image(plan.shape(step.inputs[0]))
            stride = step.settings["stride"]
            assert isinstance(stride, tuple)
            shape = [(count - 1) * apart + 1 for count, apart in zip(size, stride, strict=True)]
            tensors[spread] = Tensor(spread, (channels, *shape))
            steps.append(Step(SPREAD, step.inputs, spread, settings={"stride": stride}))
            step = _turned(step, spread)
        steps.append(step)
    return replace(plan, tensors=tensors, steps=tuple(steps))


def _turned(step: Step, spread: str) -> Step:
    weight, settings = np.asarray(step.weights["weight"]), step.settings
    groups, padding, dilation = int(settings["groups"]), settings["padding"], settings["dilation"]  # pyright: ignore[reportArgumentType]
    assert isinstance(padding, tuple)
    assert isinstance(dilation, tuple)
    inputs, outputs, height, width = weight.shape
    apart = weight.reshape(groups, inputs // groups, outputs, height, width).transpose(0, 2, 1, 3, 4)
    kernels = apart.reshape(groups * outputs, inputs // groups, height, width)[:, :, ::-1, ::-1]
    top, left = dilation[0] * (height - 1) - padding[0], dilation[1] * (width - 1) - padding[1]
    return replace(
        step,
        op="convolution",
        inputs=(spread,),
        weights={**step.weights, "weight": np.ascontiguousarray(kernels)},
        settings={**settings, "stride": (1, 1), "padding": (top, left, 0, 0)},
    )


def _with_scales_apart(plan: Plan) -> Plan:
    tensors, steps = dict(plan.tensors), []
    for step in plan.steps:
        if step.scale is not None:
            source = step.inputs[0]
            scaled = f"{source} * {step.scale}"
            if scaled not in tensors:
                tensors[scaled] = Tensor(scaled, plan.shape(source))
                steps.append(Step("multiply", (source, step.scale), scaled))
            step = replace(step, inputs=(scaled,), scale=None)
        steps.append(step)
    return replace(plan, tensors=tensors, steps=tuple(steps))


def _can_be_packed(plan: Plan, name: str) -> bool:
    makers = [step for step in plan.steps if step.output == name]
    readers = [step for step in plan.steps if name in step.reads]
    return (
        name not in plan.outputs
        and bool(makers)
        and makers[0].op in WRITES_PACKED
        and all(_reads_packed(step, name) for step in readers)
        and as_image(plan.shape(name))[1:] != (1, 1)
        and any(_leads_to_pointwise(plan, step, name) for step in readers)
    )


def _can_be_spaced(plan: Plan, name: str) -> bool:
    touching = [step for step in plan.steps if name == step.output or name in step.reads]
    ends = (*plan.outputs, *(tensor.name for tensor in plan.inputs))
    has_pixels = as_image(plan.shape(name))[1:] != (1, 1)
    return name not in ends and has_pixels and all(step.op in TAKES_GAPS for step in touching)


def _reads_packed(step: Step, name: str) -> bool:
    if step.op == "convolution":
        return name not in step.inputs
    return step.op in READS_PACKED


def _leads_to_pointwise(plan: Plan, step: Step, name: str) -> bool:
    """Whether a 1x1 convolution reads the tensor, or reads what is made of it number by number."""
    if step.op == "pointwise":
        return True
    followers = [other for other in plan.steps if step.output in other.reads]
    return step.op in ELEMENTWISE and any(other.op == "pointwise" for other in followers)


def _with_packing(plan: Plan, together: set[str]) -> Plan:
    tensors, steps = dict(plan.tensors), []
    for step in plan.steps:
        if step.op == "pointwise" and step.inputs[0] not in together:
            source = step.inputs[0]
            name = f"{source} packed"
            if name not in tensors:
                tensors[name] = Tensor(name, plan.shape(source))
                steps.append(Step(PACK, (source,), name))
            step = replace(step, inputs=(name,))
        steps.append(step)
    return replace(plan, tensors=tensors, steps=tuple(steps))
