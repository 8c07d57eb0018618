"""Steps that were read of ONNX nodes compute what ONNX Runtime computes, operator by operator."""

import numpy as np
import pytest
from onnx_samples import assert_reads, model, network_of, node, random

IMAGE = (1, 4, 9, 7)
X = {"x": random(*IMAGE)}


def one(op, *, opset=17, shape=IMAGE, weights=None, inputs="x", **attributes):
    """A model of one node that reads x, and an input for it."""
    names = " ".join([inputs, *(weights or {})])
    content = model([node(op, names, "y", **attributes)], {"x": shape}, weights, opset=opset)
    return content, {"x": random(*shape)}


CONVOLUTIONS = {
    "pointwise": ((5, 4, 1, 1), {}),
    "pointwise with stride": ((5, 4, 1, 1), {"strides": [2, 3]}),
    "pointwise with padding": ((5, 4, 1, 1), {"pads": [1, 0, 2, 1]}),
    "3 × 3": ((6, 4, 3, 3), {"pads": [1, 1, 1, 1]}),
    "uneven padding": ((6, 4, 3, 3), {"pads": [0, 2, 1, 0], "strides": [2, 2]}),
    "like SAME_UPPER": ((6, 4, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "like SAME_LOWER": ((6, 4, 2, 4), {"auto_pad": "SAME_LOWER"}),
    "VALID": ((6, 4, 3, 2), {"auto_pad": "VALID"}),
    "groups": ((6, 2, 3, 3), {"group": 2}),
    "dilated": ((6, 4, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
    "depthwise": ((4, 1, 5, 3), {"group": 4, "pads": [2, 1, 2, 1], "strides": [2, 1]}),
    "depthwise multiplied": ((8, 1, 3, 3), {"group": 4}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name):
    shape, attributes = CONVOLUTIONS[name]
    weights = {"w": random(*shape), "b": random(shape[0])}
    assert_reads(*one("Conv", weights=weights, **attributes))
    assert_reads(*one("Conv", weights={"w": random(*shape)}, opset=9, **attributes))


def test_convolutions_of_series():
    weights = {"w": random(6, 2, 3), "b": random(6)}
    content, inputs = one("Conv", shape=(1, 4, 11), weights=weights, group=2, pads=[1, 2], strides=[2])
    assert_reads(content, inputs)


TRANSPOSED = {
    "plain": {},
    "stride": {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    "uneven": {"strides": [2, 3], "pads": [0, 1, 1, 0]},
    "groups and gaps": {"group": 2, "dilations": [2, 1]},
    "output_shape": {"strides": [2, 2], "output_shape": [18, 14]},
    "SAME_UPPER": {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions(name):
    attributes = TRANSPOSED[name]
    groups = attributes.get("group", 1)
    weights = {"w": random(4, 6 // groups, 3, 3), "b": random(6)}
    assert_reads(*one("ConvTranspose", weights=weights, **attributes))


def test_dense_layers():
    for attributes in ({"transB": 1}, {"transB": 1, "alpha": 0.5, "beta": 2.0}):
        weights = {"w": random(5, 12), "b": random(5)}
        assert_reads(*one("Gemm", shape=(1, 12), weights=weights, **attributes))
    assert_reads(*one("Gemm", shape=(1, 12), weights={"w": random(12, 5)}))
    assert_reads(*one("MatMul", shape=(1, 12), weights={"w": random(12, 5)}))


def test_normalisations():
    weights = {"s": random(4), "b": random(4), "m": random(4), "v": random(4) ** 2 + 0.1}
    assert_reads(*one("BatchNormalization", weights=weights, epsilon=1e-3))
    assert_reads(*one("BatchNormalization", weights=weights, opset=9))
    assert_reads(*one("InstanceNormalization", weights={"s": random(4), "b": random(4)}))
    assert_reads(*one("GroupNormalization", opset=21, num_groups=2, weights={"s": random(4), "b": random(4)}))


ACTIVATIONS = [
    ("Relu", 9, {}, {}),
    ("Clip", 7, {}, {"min": -0.5, "max": 0.25}),
    ("Clip", 13, {"low": np.float32(-0.5), "high": np.float32(0.25)}, {}),
    ("Max", 13, {"c": np.float32(0.1)}, {}),
    ("Min", 13, {"c": np.float32(0.1)}, {}),
    ("Sigmoid", 13, {}, {}),
    ("Tanh", 13, {}, {}),
    ("HardSwish", 14, {}, {}),
    ("HardSigmoid", 13, {}, {"alpha": 0.3, "beta": 0.4}),
    ("Gelu", 20, {}, {}),
    ("LeakyRelu", 13, {}, {"alpha": 0.2}),
    ("PRelu", 13, {"c": random(4, 1, 1)}, {}),
    ("PRelu", 9, {"c": random(1)}, {}),
    ("Add", 13, {"c": random(4, 1, 1)}, {}),
    ("Sub", 13, {"c": np.float32(2.5)}, {}),
    ("Mul", 13, {"c": random(1, 4, 1, 1)}, {}),
    ("Div", 13, {"c": random(4, 1, 1) + 3}, {}),
    ("Neg", 13, {}, {}),
    ("Identity", 13, {}, {}),
    ("Dropout", 9, {}, {}),
    ("Softmax", 13, {}, {"axis": 1}),
    ("Softmax", 11, {}, {"axis": 1}),
]


@pytest.mark.parametrize(("op", "opset", "weights", "attributes"), ACTIVATIONS)
def test_what_works_on_every_value(op, opset, weights, attributes):
    assert_reads(*one(op, opset=opset, weights=weights, **attributes))


def test_what_is_subtracted_from_a_constant():
    assert_reads(model([node("Sub", "c x", "y")], {"x": IMAGE}, {"c": random(4, 1, 1)}), X)


@pytest.mark.parametrize(
    ("op", "other"), [("Add", IMAGE), ("Add", (1, 4, 1, 1)), ("Sub", IMAGE), ("Mul", (1, 4, 1, 1))]
)
def test_two_inputs(op, other):
    content = model([node(op, "x z", "y")], {"x": IMAGE, "z": other})
    assert_reads(content, {**X, "z": random(*other, seed=1)})


POOLS = [
    {"kernel_shape": [2, 2], "strides": [2, 2]},
    {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]},
    {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]},
]


@pytest.mark.parametrize("attributes", POOLS)
def test_pools(attributes):
    assert_reads(*one("MaxPool", **attributes))
    assert_reads(*one("AveragePool", opset=19, **attributes))
    if not attributes.get("ceil_mode"):
        assert_reads(*one("AveragePool", count_include_pad=1, **attributes))


def test_pools_over_all_pixels():
    assert_reads(*one("GlobalAveragePool"))
    assert_reads(*one("GlobalMaxPool"))
    for keeps in (0, 1):
        assert_reads(*one("ReduceMean", opset=13, axes=[-1, 2], keepdims=keeps))
        assert_reads(*one("ReduceMean", opset=18, weights={"a": np.array([2, 3])}, keepdims=keeps))
    assert_reads(*one("ReduceMax", opset=13, axes=[2, 3]))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("rule", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
@pytest.mark.parametrize("size", [(18, 14), (5, 11)])
def test_resizes(mode, rule, size):
    extra = {"nearest_mode": "floor"} if mode == "nearest" else {}
    content = model(
        [node("Resize", "x _ _ sizes", "y", mode=mode, coordinate_transformation_mode=rule, **extra)],
        {"x": IMAGE},
        {"sizes": np.array([1, 4, *size])},
    )
    assert_reads(content, X)


@pytest.mark.parametrize("rule", ["round_prefer_floor", "round_prefer_ceil", "ceil"])
def test_resizes_to_the_nearest(rule):
    scales = np.array([1, 1, 1.5, 0.6], np.float32)
    content = model([node("Resize", "x _ s", "y", nearest_mode=rule)], {"x": IMAGE}, {"s": scales})
    assert_reads(content, X)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resizes_of_old_files(mode):
    scales = {"s": np.array([1, 1, 2, 3], np.float32)}
    assert_reads(*one("Upsample", opset=9, weights=scales, mode=mode))
    assert_reads(*one("Resize", opset=10, weights=scales, mode=mode))


def test_parts_and_joins():
    assert_reads(model([node("Concat", "x z x", "y", axis=1)], {"x": IMAGE, "z": (1, 2, 9, 7)}), {
        **X, "z": random(1, 2, 9, 7)
    })  # fmt: skip
    halves = [node("Split", "x", "a b", axis=1), node("Concat", "b a", "y", axis=1)]
    assert_reads(model(halves, {"x": IMAGE}, opset=11), X)
    halves[0] = node("Split", "x sizes", "a b", axis=1)
    assert_reads(model(halves, {"x": IMAGE}, {"sizes": np.array([1, 3])}), X)
    limits = {"from": np.array([1]), "to": np.array([9]), "along": np.array([1]), "by": np.array([2])}
    assert_reads(*one("Slice", weights=limits))
    assert_reads(*one("Gather", weights={"which": np.array([2, 0, -1])}, axis=1))


def test_channel_shuffles_are_one_step():
    nodes = [
        node("Reshape", "x groups", "a"),
        node("Transpose", "a", "b", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "b whole", "y"),
    ]
    shapes = {"groups": np.array([1, 2, 2, 9, 7]), "whole": np.array([1, -1, 9, 7])}
    network = assert_reads(model(nodes, {"x": IMAGE}, shapes), X)
    assert [step.op for step in network.steps if step.op != "reshape"] == ["transpose"]


def test_blocks_of_pixels_and_channels():
    shape = (1, 12, 3, 5)
    for mode in ("DCR", "CRD"):
        assert_reads(*one("DepthToSpace", shape=shape, blocksize=2, mode=mode))
    assert_reads(*one("SpaceToDepth", shape=(1, 3, 4, 6), blocksize=2))


def test_shapes_that_the_file_computes():
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "first", axis=0),
        node("Unsqueeze", "first", "row", axes=[0]),
        node("Concat", "row rest", "wanted", axis=0),
        node("Reshape", "x wanted", "flat"),
        node("Gemm", "flat w", "y"),
    ]
    weights = {"zero": np.array(0), "rest": np.array([-1]), "w": random(4 * 9 * 7, 3)}
    assert_reads(model(nodes, {"x": ["batch", *IMAGE[1:]]}, weights, opset=11), X)


def test_other_orders_of_axes():
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "b"),
        node("Transpose", "b", "y", perm=[0, 2, 3, 1]),
    ]
    assert_reads(model(nodes, {"x": (1, 6, 5, 3)}, {"w": random(4, 3, 1, 1)}), {"x": random(1, 6, 5, 3)})


def test_views():
    nodes = [
        node("Flatten", "x", "a"),
        node("Unsqueeze", "a", "b", axes=[2, 3]),
        node("Conv", "b w", "c"),
        node("Squeeze", "c", "y", axes=[2, 3]),
    ]
    content = model(nodes, {"x": IMAGE}, {"w": random(3, 4 * 9 * 7, 1, 1)}, opset=11)
    network = assert_reads(content, X)
    assert "linear" in [step.op for step in network.steps]


PADS = [([0, 0, 1, 2, 0, 0, 3, 0], 0.0), ([0, 2, 0, 0, 0, 1, 0, 0], 0.0), ([0, 0, 1, 1, 0, 0, 1, 1], 1.5)]


@pytest.mark.parametrize(("pads", "value"), PADS)
def test_pads(pads, value):
    assert_reads(*one("Pad", weights={"p": np.array(pads), "v": np.float32(value)}))
    assert_reads(*one("Pad", opset=9, pads=pads, value=value))


REFUSED = {
    "Softplus": {},
    "ReduceMean": {"axes": [1]},
    "Transpose": {"perm": [1, 0, 2, 3]},
    "MaxPool": {"kernel_shape": [2, 2], "dilations": [2, 2]},
    "Softmax": {"axis": 2},
    "Gelu": {"approximate": "tanh"},
}


@pytest.mark.parametrize("op", REFUSED)
def test_what_no_step_computes_is_left_to_onnx_runtime_with_a_reason(op):
    opset = {"Gelu": 20, "ReduceMean": 13}.get(op, 17)
    content, _ = one(op, opset=opset, **REFUSED[op])
    (external,) = network_of(content).externals
    assert external.node.where == f"{op} {op} to y"
    assert external.reason
