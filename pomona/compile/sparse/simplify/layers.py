"""Rules for layers: scales, shifts, sums, paddings and gates go into the layers beside them."""

from dataclasses import replace

import numpy as np

from pomona.compile.sparse.plan import FUSES_RESIDUAL, Setting, Step, Tensor, numbers
from pomona.compile.sparse.simplify.surroundings import Change, Surroundings

_WEIGHTED = ("pointwise", "depthwise", "convolution", "transposed_convolution", "linear")


def scaled_after(around: Surroundings, position: int) -> Change | None:
    """A scale and shift of every channel goes into the layer before it, through a reshape where it must."""
    step = _scale(around, position)
    if step is None:
        return None
    before = around.maker(step.inputs[0], *_WEIGHTED, "group_normalisation", "reshape")
    maker = None if before is None else around.steps[before]
    if before is None or not isinstance(maker, Step):
        return None
    if maker.op == "reshape":
        return _scaled_through(around, position, step, before, maker)
    if maker.activation != "none" or maker.residual is not None:
        return None
    fused = replace(maker, weights=_scaled(maker, step), settings={**maker.settings, **_activation(step)})
    fused = replace(fused, weights={**fused.weights, **_slope(step)})
    return Change({before: (fused,), position: ()}, {step.output: maker.output})


def _scaled_through(
    around: Surroundings, position: int, step: Step, before: int, reshape: Step
) -> Change | None:
    """A group normalisation of (groups, 1, n) that is reshaped and scaled is one of the image."""
    first = around.maker(reshape.inputs[0], "group_normalisation")
    norm = None if first is None else around.steps[first]
    if first is None or not isinstance(norm, Step) or norm.activation != "none":
        return None
    shape, groups = around.shape(step.output), around.shape(norm.output)[0]
    if norm.settings["groups"] != groups or len(shape) != 3 or shape[0] % groups:
        return None
    repeated = {name: np.repeat(array, shape[0] // groups) for name, array in norm.weights.items()}
    scale = step.weights["weight"].reshape(-1)
    whole = replace(
        norm,
        inputs=(f"{norm.output} whole",),
        output=step.output,
        name=step.name,
        weights={
            "scale": repeated["scale"] * scale,
            "bias": repeated["bias"] * scale + step.weights["bias"],
            **_slope(step),
        },
        settings={**norm.settings, **_activation(step)},
    )
    view = replace(reshape, inputs=norm.inputs, output=whole.inputs[0])
    return Change({first: (), before: (), position: (view, whole)}, tensors=(Tensor(whole.inputs[0], shape),))


def scaled_before(around: Surroundings, position: int) -> Change | None:
    """A scale and shift of every channel goes into the pointwise or dense layer after it."""
    step = _scale(around, position)
    if step is None or step.activation != "none":
        return None
    after = around.reader(step.output, "pointwise", "linear")
    reader = None if after is None else around.steps[after]
    if after is None or not isinstance(reader, Step) or reader.inputs[0] != step.output or reader.scale:
        return None
    weight = reader.weights["weight"]
    weights = {
        **reader.weights,
        "weight": weight * step.weights["weight"].reshape(1, -1),
        "bias": reader.weights["bias"] + weight @ step.weights["bias"],
    }
    return Change({position: (), after: (replace(reader, weights=weights),)}, {step.output: step.inputs[0]})


def with_residual(around: Surroundings, position: int) -> Change | None:
    """A sum goes into the layer that makes one of its parts, where the other part is known by then."""
    step = around.step(position, "add")
    if step is None or around.shape(step.inputs[0]) != around.shape(step.inputs[1]):
        return None
    for part, other in (step.inputs, step.inputs[::-1]):
        before = around.maker(part, *FUSES_RESIDUAL)
        maker = None if before is None else around.steps[before]
        if before is None or not isinstance(maker, Step) or around.position(other) >= before:
            continue
        if maker.activation == "none" and maker.residual is None:
            fused = replace(
                maker,
                residual=other,
                settings={**maker.settings, **_activation(step)},
                weights={**maker.weights, **_slope(step)},
            )
            return Change({before: (fused,), position: ()}, {step.output: maker.output})
    return None


def with_scale(around: Surroundings, position: int) -> Change | None:
    """The gate of squeeze and excite goes into the pointwise convolution that reads what it scales."""
    step = around.step(position, "multiply")
    if step is None or step.activation != "none" or len(around.shape(step.inputs[1])) != 1:
        return None
    after = around.reader(step.output, "pointwise")
    reader = None if after is None else around.steps[after]
    if after is None or not isinstance(reader, Step) or reader.scale or reader.inputs[0] != step.output:
        return None
    fused = replace(reader, inputs=(step.inputs[0],), scale=step.inputs[1])
    return Change({position: (), after: (fused,)})


def with_padding(around: Surroundings, position: int) -> Change | None:
    """Zeros around an image become the padding of the convolution that reads it."""
    step = around.step(position, "pad")
    if step is None or step.settings["value"] != 0 or step.settings["channels"] != (0, 0):
        return None
    after = around.reader(step.output, "depthwise", "convolution")
    reader = None if after is None else around.steps[after]
    if after is None or not isinstance(reader, Step) or reader.inputs[0] != step.output:
        return None
    around_both = zip(numbers(step, "padding"), numbers(reader, "padding"), strict=True)
    padding = tuple(a + b for a, b in around_both)
    settings: dict[str, Setting] = {**reader.settings, "padding": padding}
    return Change({position: (), after: (replace(reader, settings=settings),)}, {step.output: step.inputs[0]})


def as_linear(around: Surroundings, position: int) -> Change | None:
    """A pointwise convolution of one pixel is a dense layer, whose output is viewed as a pixel again."""
    step = around.step(position, "pointwise")
    if step is None or around.shape(step.output)[1:] != (1, 1) or step.residual or step.scale:
        return None
    inside, outside = (
        Tensor(f"{step.output} in", (around.shape(step.inputs[0])[0],)),
        Tensor(f"{step.output} out", (around.shape(step.output)[0],)),
    )
    steps = (
        Step("reshape", step.inputs, inside.name, name=step.name),
        replace(step, op="linear", inputs=(inside.name,), output=outside.name),
        Step("reshape", (outside.name,), step.output, name=step.name),
    )
    return Change({position: steps}, tensors=(inside, outside))


def _scale(around: Surroundings, position: int) -> Step | None:
    """The step there if it scales and shifts every channel and does nothing else to its values."""
    step = around.step(position, "depthwise")
    if step is None or step.weights["weight"].shape[1:] != (1, 1) or step.settings["stride"] != (1, 1):
        return None
    return None if any(numbers(step, "padding")) else step


def _scaled(maker: Step, step: Step) -> dict[str, np.ndarray]:
    scale = step.weights["weight"].reshape(-1)
    shift = step.weights["bias"]
    if maker.op == "group_normalisation":
        bias = maker.weights["bias"] * scale + shift
        return {**maker.weights, "scale": maker.weights["scale"] * scale, "bias": bias}
    weight = maker.weights["weight"]
    if maker.op == "transposed_convolution":
        (groups,) = numbers(maker, "groups")
        per_group = weight.reshape(groups, -1, *weight.shape[1:]) * scale.reshape(groups, 1, -1, 1, 1)
        weight = per_group.reshape(weight.shape)
    else:
        weight = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
    return {**maker.weights, "weight": weight, "bias": maker.weights["bias"] * scale + shift}


def _activation(step: Step) -> dict[str, Setting]:
    names = ("activation", "lower", "upper", "alpha", "beta")
    return {name: step.settings[name] for name in names if name in step.settings}


def _slope(step: Step) -> dict[str, np.ndarray]:
    return {"slope": step.weights["slope"]} if "slope" in step.weights else {}
