"""Small ONNX models for tests of partitions; made without torch."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8


def skipping_model(num_layers: int = 4, *, seed: int = 0) -> bytes:
    """Layers of MatMul, Add and Relu with residual sums; a skip from the input to the end.

    A tensor of integers (a shape) crosses many places, a constant is made by nodes, and one output is ready
    long before the end.
    """
    generator = np.random.default_rng(seed)
    constants = [numpy_helper.from_array(np.array([0, -1], np.int64), "flat")]
    nodes = [
        helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32(0.5))),
        helper.make_node("Neg", ["half"], ["minus_half"]),
        helper.make_node("Shape", ["x"], ["shape"]),
    ]
    name = "x"
    for layer in range(num_layers):
        weight = generator.standard_normal((WIDTH, WIDTH)).astype(np.float32) / 3
        constants.append(numpy_helper.from_array(weight, f"w{layer}"))
        constants.append(numpy_helper.from_array(weight[0], f"b{layer}"))
        nodes += [
            helper.make_node("MatMul", [name, f"w{layer}"], [f"m{layer}"]),
            helper.make_node("Add", [f"m{layer}", f"b{layer}"], [f"a{layer}"]),
            helper.make_node("Relu", [f"a{layer}"], [f"r{layer}"]),
            helper.make_node("Add", [f"r{layer}", name], [f"s{layer}"]),
        ]
        name = f"s{layer}"
    nodes += [
        helper.make_node("Mul", [name, "minus_half"], ["scaled"]),
        helper.make_node("Add", ["scaled", "x"], ["skipped"]),
        helper.make_node("Reshape", ["skipped", "flat"], ["rows"]),
        helper.make_node("Reshape", ["rows", "shape"], ["y"]),
    ]
    free = ["batch", 3, WIDTH]
    described = [helper.make_tensor_value_info(one, TensorProto.FLOAT, free) for one in ("x", "s0", "y")]
    graph = helper.make_graph(nodes, "skipping", described[:1], described[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def entries(count: int, *, batch: int = 1) -> list[dict[str, np.ndarray]]:
    """Inputs for it."""
    generator = np.random.default_rng(1)
    return [{"x": generator.standard_normal((batch, 3, WIDTH)).astype(np.float32)} for _ in range(count)]


def looking_up_model() -> bytes:
    """Two layers and a Gather whose index, the second input, may be out of range."""
    weight = np.eye(4, dtype=np.float32)
    constants = [numpy_helper.from_array(weight, "w")]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Gather", ["m", "index"], ["y"], axis=0),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4]),
        helper.make_tensor_value_info("index", TensorProto.INT64, [1]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])]
    graph = helper.make_graph(nodes, "looking up", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()
