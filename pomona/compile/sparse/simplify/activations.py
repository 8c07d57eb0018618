"""Rules for activations: put together from parts, and into the steps before them."""

import math
from dataclasses import replace

import numpy as np

from pomona.compile.sparse.plan import FUSES_ACTIVATION, Setting, Step, Tensor, numbers
from pomona.compile.sparse.simplify.surroundings import Change, Surroundings

_ACTIVATION_SETTINGS = ("activation", "lower", "upper", "alpha", "beta")


def with_activation(around: Surroundings, position: int) -> Change | None:
    """An activation goes into the step before it; two clips become one."""
    step = around.step(position, "activation")
    before = step and around.maker(step.inputs[0], *FUSES_ACTIVATION)
    if step is None or before is None:
        return None
    maker = around.steps[before]
    assert isinstance(maker, Step)
    settings = {name: step.settings[name] for name in _ACTIVATION_SETTINGS if name in step.settings}
    if maker.activation == "clip" == step.activation:
        settings = _both_clips(maker, step)
    elif maker.activation != "none":
        return None
    slope = {"slope": step.weights["slope"]} if "slope" in step.weights else {}
    if slope and around.shape(maker.output)[0] != len(slope["slope"]):
        return None
    fused = replace(maker, settings={**maker.settings, **settings}, weights={**maker.weights, **slope})
    return Change({before: (fused,), position: ()}, {step.output: maker.output})


def _both_clips(first: Step, second: Step) -> dict[str, Setting]:
    low, high = _number(second, "lower"), _number(second, "upper")
    lower = min(max(_number(first, "lower"), low), high)
    upper = min(max(_number(first, "upper"), low), high)
    return {"activation": "clip", "lower": lower, "upper": upper}


def as_hard_sigmoid(around: Surroundings, position: int) -> Change | None:
    """clip(a x + b) c + d is a hard sigmoid where it runs from 0 to 1."""
    outer = around.step(position, "depthwise")
    middle = outer and around.maker(outer.inputs[0], "depthwise", "activation")
    clip = None if middle is None else around.steps[middle]
    if outer is None or middle is None or not isinstance(clip, Step) or clip.activation != "clip":
        return None
    after = _one_scale(outer) if outer.activation == "none" else None
    before = (1.0, 0.0) if clip.op == "activation" else _one_scale(clip)
    if after is None or before is None or after[0] <= 0:
        return None
    ends = [after[0] * _number(clip, name) + after[1] for name in ("lower", "upper")]
    if not np.allclose(ends, (0, 1), rtol=0, atol=1e-6):
        return None
    settings: dict[str, Setting] = {
        "activation": "hard_sigmoid",
        "alpha": after[0] * before[0],
        "beta": after[0] * before[1] + after[1],
    }
    whole = Step("activation", clip.inputs, outer.output, {}, settings, name=outer.name)
    return Change({middle: (), position: (whole,)})


def scale_into_hard_sigmoid(around: Surroundings, position: int) -> Change | None:
    """A scale and shift before a hard sigmoid goes into its own."""
    step = around.step(position, "activation")
    before = step and around.maker(step.inputs[0], "depthwise")
    if step is None or before is None or step.activation != "hard_sigmoid":
        return None
    maker = around.steps[before]
    assert isinstance(maker, Step)
    scale = _one_scale(maker) if maker.activation == "none" else None
    if scale is None:
        return None
    alpha, beta = _number(step, "alpha"), _number(step, "beta")
    settings = {**step.settings, "alpha": alpha * scale[0], "beta": alpha * scale[1] + beta}
    return Change({before: (), position: (replace(step, inputs=maker.inputs, settings=settings),)})


def scale_into_product(around: Surroundings, position: int) -> Change | None:
    """A factor after a product with a clipped value goes to the clipped value."""
    outer = around.step(position, "depthwise")
    middle = outer and around.maker(outer.inputs[0], "multiply")
    product = None if middle is None else around.steps[middle]
    if outer is None or middle is None or not isinstance(product, Step) or product.activation != "none":
        return None
    scale = _one_scale(outer)
    if scale is None or scale[1] or outer.activation != "none":
        return None
    for x, gate in (product.inputs, product.inputs[::-1]):
        before = around.maker(gate, "depthwise", "activation")
        maker = None if before is None else around.steps[before]
        if not isinstance(maker, Step) or maker.activation != "clip" or x == gate:
            continue
        scaled = Tensor(f"{gate} scaled", around.shape(gate))
        size = scaled.shape[0]
        weights = {name: outer.weights[name][:1].repeat(size, 0) for name in ("weight", "bias")}
        first = replace(outer, inputs=(gate,), output=scaled.name, weights=weights)
        whole = replace(product, inputs=(x, scaled.name), output=outer.output)
        return Change({middle: (), position: (first, whole)}, tensors=(scaled,))
    return None


def activation_before_reshape(around: Surroundings, position: int) -> Change | None:
    """An activation of a view becomes a view of the activation, next to the layer it may go into."""
    step = around.step(position, "activation")
    before = step and around.maker(step.inputs[0], "reshape")
    if step is None or before is None or step.activation == "prelu":
        return None
    view = around.steps[before]
    assert isinstance(view, Step)
    inner = Tensor(f"{step.output} inner", around.shape(view.inputs[0]))
    first = replace(step, inputs=view.inputs, output=inner.name)
    second = replace(view, inputs=(inner.name,), output=step.output)
    return Change({before: (), position: (first, second)}, tensors=(inner,))


def gated(around: Surroundings, position: int) -> Change | None:
    """x sigmoid(x) is silu, x hard_sigmoid(x) of a sixth and a half is hard_swish."""
    step = around.step(position, "multiply")
    if step is None or step.activation != "none":
        return None
    for x, gate in (step.inputs, step.inputs[::-1]):
        before = around.maker(gate, "activation")
        maker = None if before is None else around.steps[before]
        if before is None or not isinstance(maker, Step) or maker.inputs[0] != x:
            continue
        name = _gate_name(maker)
        if name is not None:
            settings: dict[str, Setting] = {"activation": name}
            whole = Step("activation", (x,), step.output, {}, settings, name=step.name)
            return Change({before: (), position: (whole,)})
    return None


def _gate_name(step: Step) -> str | None:
    if step.activation == "sigmoid":
        return "silu"
    if step.activation == "hard_sigmoid":
        found = (_number(step, "alpha"), _number(step, "beta"))
        return "hard_swish" if np.allclose(found, (1 / 6, 0.5), rtol=0, atol=1e-6) else None
    return None


def _one_scale(step: Step) -> tuple[float, float] | None:
    """Scale and shift of a depthwise step that is the same for every value; None for another one."""
    weight, bias = step.weights["weight"], step.weights["bias"]
    if weight.shape[1:] != (1, 1) or step.settings.get("stride") != (1, 1):
        return None
    if any(numbers(step, "padding")) or np.ptp(weight) or np.ptp(bias):
        return None
    return float(weight.flat[0]), float(bias.flat[0])


def _number(step: Step, name: str) -> float:
    value = step.settings.get(name, math.nan)
    assert isinstance(value, int | float)
    return float(value)
