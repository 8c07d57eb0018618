"""TFLite's operations in terms of ONNX's: one function each, in one table."""

import math
import struct
from collections.abc import Callable

import numpy as np

from pomona.compile.tflite.graph import Builder
from pomona.compile.tflite.read import Operation
from pomona.foundation.errors import ArtifactError

SAME = 0
ACTIVATIONS = {0: "", 1: "Relu", 3: "Clip", 4: "Tanh"}
"""TFLite's number of a fused activation → the node that follows; 3 is RELU6."""


def convolution(graph: Builder, one: Operation) -> None:
    """CONV_2D: a kernel (out, height, width, in)."""
    kernel = graph.known(one.inputs[1]).transpose(0, 3, 1, 2)
    _convolved(graph, one, kernel, group=graph.shape(one.inputs[0])[3] // kernel.shape[1])


def depthwise(graph: Builder, one: Operation) -> None:
    """DEPTHWISE_CONV_2D: a kernel (1, height, width, channel · multiplier)."""
    kernel = graph.known(one.inputs[1]).transpose(3, 0, 1, 2)
    _convolved(graph, one, kernel, group=graph.shape(one.inputs[0])[3])


def transposed_with_bias(graph: Builder, one: Operation) -> None:
    """MediaPipe's Convolution2DTransposeBias: a kernel (out, height, width, in), options in 12 bytes."""
    padding, across, down = struct.unpack("<iii", one.custom[:12])
    kernel = graph.known(one.inputs[1]).transpose(3, 0, 1, 2)
    (_, height, width, _), (_, rows, columns, _) = graph.shape(one.inputs[0]), graph.shape(one.outputs[0])
    size = kernel.shape[2:]
    # the result of all overlaps is cut to the size that TFLite says, more at the end
    spare = ((height - 1) * down + size[0] - rows, (width - 1) * across + size[1] - columns)
    if min(spare) < 0:
        raise ArtifactError(f"{one.name} with padding {padding} makes a larger image than its kernel reaches")
    pads = [spare[0] // 2, spare[1] // 2, spare[0] - spare[0] // 2, spare[1] - spare[1] // 2]
    inputs = [graph.get(one.inputs[0]), graph.constant(kernel), graph.constant(graph.known(one.inputs[2]))]
    graph.add("ConvTranspose", inputs, to=one.outputs[0], strides=[down, across], pads=pads)


def dense(graph: Builder, one: Operation) -> None:
    """FULLY_CONNECTED: a weight (out, in)."""
    weight = graph.known(one.inputs[1])
    read = graph.channels_last(one.inputs[0])
    if len(graph.shape(one.inputs[0])) != 2:
        read = graph.add("Reshape", [read, graph.constant(np.array([-1, weight.shape[1]]))])
    bias = [graph.constant(graph.known(name)) for name in one.inputs[2:3] if name]
    made = graph.add("Gemm", [read, graph.constant(weight), *bias], transB=1)
    if len(graph.shape(one.outputs[0])) != 2:
        made = _in_shape(graph, made, one.outputs[0])
    _activated(graph, one, made)


def mean(graph: Builder, one: Operation) -> None:
    """MEAN over the height and width of an image."""
    axes = sorted(int(axis) for axis in graph.known(one.inputs[1]).reshape(-1))
    if len(graph.shape(one.inputs[0])) != 4 or axes != [1, 2]:
        raise ArtifactError(f"MEAN over axes {axes} of {graph.shape(one.inputs[0])} is not read")
    made = graph.add("GlobalAveragePool", [graph.get(one.inputs[0])])
    if not one.options["keepDims"]:
        made = graph.add("Flatten", [made])
    graph.names[one.outputs[0]] = made


def pool(graph: Builder, one: Operation, op: str) -> None:
    """AVERAGE_POOL_2D and MAX_POOL_2D; padding does not count."""
    kernel = (one.options["filterHeight"], one.options["filterWidth"])
    strides = (one.options["strideH"], one.options["strideW"])
    pads = _pads(graph, one, kernel, (1, 1))
    made = graph.add(op, [graph.get(one.inputs[0])], kernel_shape=kernel, strides=strides, pads=pads)
    _activated(graph, one, made)


def both(graph: Builder, one: Operation, op: str) -> None:
    """ADD, MUL and the like."""
    rank = max(len(graph.shape(name)) for name in one.inputs)
    _activated(graph, one, graph.add(op, [graph.get(name, rank=rank) for name in one.inputs]))


def single(graph: Builder, one: Operation, op: str) -> None:
    """An operation value by value."""
    graph.add(op, [graph.get(one.inputs[0])], to=one.outputs[0])


def six(graph: Builder, one: Operation) -> None:
    """RELU6."""
    graph.names[one.outputs[0]] = _clipped(graph, graph.get(one.inputs[0]))


def prelu(graph: Builder, one: Operation) -> None:
    """PRELU: a slope for every channel."""
    slope = graph.known(one.inputs[1]).reshape(-1)
    if len(graph.shape(one.inputs[0])) == 4:
        slope = slope.reshape(-1, 1, 1)
    graph.add("PRelu", [graph.get(one.inputs[0]), graph.constant(slope)], to=one.outputs[0])


def resize(graph: Builder, one: Operation, mode: str) -> None:
    """RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR."""
    _, rows, columns, channels = graph.shape(one.outputs[0])
    rule = "asymmetric"
    if one.options["alignCorners"]:
        rule = "align_corners"
    elif one.options["halfPixelCenters"]:
        rule = "half_pixel"
    sizes = graph.constant(np.array([graph.shape(one.inputs[0])[0], channels, rows, columns]))
    nearest = {"nearest_mode": "floor"} if mode == "nearest" and rule != "align_corners" else {}
    graph.add(
        "Resize", [graph.get(one.inputs[0]), "", "", sizes], to=one.outputs[0], mode=mode,
        coordinate_transformation_mode=rule, **nearest,
    )  # fmt: skip


def reshape(graph: Builder, one: Operation) -> None:
    """RESHAPE, of the numbers in TFLite's order."""
    graph.names[one.outputs[0]] = _in_shape(graph, graph.channels_last(one.inputs[0]), one.outputs[0])


def pad(graph: Builder, one: Operation) -> None:
    """PAD with zeros."""
    before_after = graph.known(one.inputs[1]).astype(np.int64)
    if len(before_after) == 4:
        before_after = before_after[list((0, 3, 1, 2))]
    pads = graph.constant(before_after.T.reshape(-1))
    graph.add("Pad", [graph.get(one.inputs[0]), pads], to=one.outputs[0])


def concatenation(graph: Builder, one: Operation) -> None:
    """CONCATENATION."""
    rank = len(graph.shape(one.outputs[0]))
    axis = one.options["axis"] % rank
    axis = (0, 2, 3, 1)[axis] if rank == 4 else axis
    _activated(
        graph, one, graph.add("Concat", [graph.get(name, rank=rank) for name in one.inputs], axis=axis)
    )


def softmax(graph: Builder, one: Operation) -> None:
    """SOFTMAX over the last axis, which is the channels' of an image."""
    axis = 1 if len(graph.shape(one.inputs[0])) == 4 else -1
    graph.add("Softmax", [graph.get(one.inputs[0])], to=one.outputs[0], axis=axis)


def to_space(graph: Builder, one: Operation) -> None:
    """DEPTH_TO_SPACE: channels become blocks of pixels."""
    side = one.options["blockSize"]
    graph.add("DepthToSpace", [graph.get(one.inputs[0])], to=one.outputs[0], blocksize=side)


def same_constant(graph: Builder, one: Operation) -> None:
    """DEQUANTIZE and DENSIFY of constants, which are read as dense float32 already."""
    constants: dict[str, np.ndarray] = graph.model.constants  # type: ignore[assignment]
    constants[one.outputs[0]] = graph.known(one.inputs[0])


OPERATIONS: dict[str, Callable[[Builder, Operation], None]] = {
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": depthwise,
    "Convolution2DTransposeBias": transposed_with_bias,
    "FULLY_CONNECTED": dense,
    "MEAN": mean,
    "AVERAGE_POOL_2D": lambda graph, one: pool(graph, one, "AveragePool"),
    "MAX_POOL_2D": lambda graph, one: pool(graph, one, "MaxPool"),
    "ADD": lambda graph, one: both(graph, one, "Add"),
    "SUB": lambda graph, one: both(graph, one, "Sub"),
    "MUL": lambda graph, one: both(graph, one, "Mul"),
    "RELU": lambda graph, one: single(graph, one, "Relu"),
    "LOGISTIC": lambda graph, one: single(graph, one, "Sigmoid"),
    "TANH": lambda graph, one: single(graph, one, "Tanh"),
    "HARD_SWISH": lambda graph, one: single(graph, one, "HardSwish"),
    "RELU6": six,
    "PRELU": prelu,
    "RESIZE_BILINEAR": lambda graph, one: resize(graph, one, "linear"),
    "RESIZE_NEAREST_NEIGHBOR": lambda graph, one: resize(graph, one, "nearest"),
    "RESHAPE": reshape,
    "PAD": pad,
    "CONCATENATION": concatenation,
    "SOFTMAX": softmax,
    "DEPTH_TO_SPACE": to_space,
    "DEQUANTIZE": same_constant,
    "DENSIFY": same_constant,
}
"""TFLite's name → what adds it to the graph."""


def _convolved(graph: Builder, one: Operation, kernel: np.ndarray, *, group: int) -> None:
    dilation = (one.options["dilationHFactor"], one.options["dilationWFactor"])
    bias = [graph.constant(graph.known(name)) for name in one.inputs[2:3] if name]
    made = graph.add(
        "Conv", [graph.get(one.inputs[0]), graph.constant(kernel), *bias], group=group, dilations=dilation,
        strides=(one.options["strideH"], one.options["strideW"]),
        pads=_pads(graph, one, kernel.shape[2:], dilation),
    )  # fmt: skip
    _activated(graph, one, made)


def _pads(
    graph: Builder, one: Operation, kernel: tuple[int, ...], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Top, left, bottom, right; TFLite's SAME puts the odd one at the end."""
    if one.options["padding"] != SAME:
        return 0, 0, 0, 0
    strides = (one.options["strideH"], one.options["strideW"])
    sizes = graph.shape(one.inputs[0])[1:3]
    total = [
        max((math.ceil(size / stride) - 1) * stride + (reach - 1) * wide + 1 - size, 0)
        for size, stride, reach, wide in zip(sizes, strides, kernel, dilation, strict=True)
    ]
    return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2


def _activated(graph: Builder, one: Operation, made: str) -> None:
    kind = one.options.get("fusedActivationFunction", 0)
    if kind not in ACTIVATIONS:
        raise ArtifactError(f"{one.name} has an activation that is not read (number {kind})")
    if ACTIVATIONS[kind] == "Clip":
        made = _clipped(graph, made)
    elif ACTIVATIONS[kind]:
        made = graph.add(ACTIVATIONS[kind], [made])
    graph.names[one.outputs[0]] = made


def _clipped(graph: Builder, made: str) -> str:
    ends = [graph.constant(np.array(value, np.float32)) for value in (0, 6)]
    return graph.add("Clip", [made, *ends])


def _in_shape(graph: Builder, made: str, tensor: str) -> str:
    """The numbers in the shape that the tensor has, an image channels first again."""
    shape = graph.shape(tensor)
    made = graph.add("Reshape", [made, graph.constant(np.array(shape))])
    return graph.add("Transpose", [made], perm=(0, 3, 1, 2)) if len(shape) == 4 else made
