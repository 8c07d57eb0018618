"""A plan of convolutions as an ONNX file, and as a function of PyTorch tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pomona.compile.sparse.plan import Plan, Step


def onnx_model(plan: Plan) -> bytes:
    """The file's bytes; images are (1, channel, height, width)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    for index, step in enumerate(plan.steps):
        nodes += _nodes(step, f"s{index}", constant)

    def described(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *plan.shape(name)])

    graph = helper.make_graph(
        nodes,
        "plan",
        [described(tensor.name) for tensor in plan.inputs],
        [described(name) for name in plan.outputs],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _nodes(step: Step, name: str, constant: Callable[[str, np.ndarray], str]) -> list[Any]:
    from onnx import helper

    is_clipped = step.activation == "clip"
    result = step.output + "/before" if is_clipped else step.output
    middle = step.output + "/sum" if step.residual else result
    nodes = []
    if step.op == "global_average_pool":
        nodes += [
            helper.make_node("GlobalAveragePool", step.inputs, [middle + "/mean"]),
            helper.make_node("Flatten", [middle + "/mean"], [middle]),
        ]
    else:
        weight, bias = step.weights["weight"], constant(f"{name}/b", step.weights["bias"])
        if step.op == "linear":
            inputs = [step.inputs[0], constant(f"{name}/w", weight), bias]
            nodes.append(helper.make_node("Gemm", inputs, [middle], transB=1))
        else:
            inputs = [step.inputs[0], constant(f"{name}/w", _kernels(step)), bias]
            nodes.append(helper.make_node("Conv", inputs, [middle], **_window(step)))
    if step.residual:
        nodes.append(helper.make_node("Add", [middle, step.residual], [result]))
    if is_clipped:
        limits = [
            constant(f"{name}/{key}", np.array(step.settings[key], np.float32)) for key in ("lower", "upper")
        ]
        nodes.append(helper.make_node("Clip", [result, *limits], [step.output]))
    return nodes


def _kernels(step: Step) -> np.ndarray:
    """The weight with the four axes of a convolution."""
    weight = step.weights["weight"]
    if step.op == "depthwise":
        return weight[:, None]
    return weight.reshape(*weight.shape[:2], *(weight.shape[2:] or (1, 1)))


def _window(step: Step) -> dict[str, Any]:
    return {
        "strides": list(step.settings.get("stride", (1, 1))),
        "pads": list(step.settings.get("padding", (0, 0, 0, 0))),
        "group": len(step.weights["weight"]) if step.op == "depthwise" else 1,
    }


def torch_function(plan: Plan) -> Callable[[Any], Any]:
    """The plan's first output from its first input, weights channels last."""
    import torch
    from torch.nn import functional

    weights = {}
    for step in plan.steps:
        if step.op == "linear":
            weights[step.output] = torch.from_numpy(np.ascontiguousarray(step.weights["weight"]))
        elif "weight" in step.weights:
            kernels = torch.from_numpy(np.ascontiguousarray(_kernels(step)))
            weights[step.output] = kernels.contiguous(memory_format=torch.channels_last)

    def run(image: Any) -> Any:
        known = {plan.inputs[0].name: image}
        for step in plan.steps:
            value = known[step.inputs[0]]
            if step.op == "global_average_pool":
                value = value.mean((2, 3))
            elif step.op == "linear":
                value = functional.linear(value, weights[step.output], torch.from_numpy(step.weights["bias"]))
            else:
                window = _window(step)
                top, left, bottom, right = window["pads"]
                value = functional.conv2d(
                    functional.pad(value, (left, right, top, bottom)),
                    weights[step.output],
                    torch.from_numpy(step.weights["bias"]),
                    window["strides"],
                    groups=window["group"],
                )
            if step.residual:
                value = value + known[step.residual]
            if step.activation == "clip":
                value = value.clamp_(step.settings["lower"], step.settings["upper"])
            known[step.output] = value
        return known[plan.outputs[0]]

    def without_gradients(image: Any) -> Any:
        with torch.inference_mode():
            return run(image)

    return without_gradients
