"""Layers and published mobile networks as plans with random weights and random or block-wise zeros.

MobileNetV1 (arXiv 1704.04861), MobileNetV2 (1801.04381) and EfficientNet-Lite0, 224 x 224, paddings as in
TensorFlow. The first convolution, depthwise ones and the classifier stay dense.
"""

from collections.abc import Callable

import numpy as np

from pomona.compile.sparse.plan import Plan, Setting, Step, Tensor
from pomona.foundation.randomness import stream
from pomona.networks.mobile import LITE_UNITS, V1_UNITS, V2_UNITS

RELU6: dict[str, Setting] = {"activation": "clip", "lower": 0.0, "upper": 6.0}
NONE: dict[str, Setting] = {"activation": "none"}
NUM_CLASSES = 1000


def layer(inputs: int, outputs: int, size: int, *, sparsity: float, block: int) -> Plan:
    """One 1x1 convolution with ReLU6."""
    network = _Network((inputs, size, size), sparsity, block)
    return network.plan(network.pointwise("x", outputs, RELU6))


def mobilenet_v1(sparsity: float, block: int) -> Plan:
    """MobileNetV1 of width 1."""
    network = _Network((3, 224, 224), sparsity, block)
    x = network.convolution("x", 32)
    for channels, stride, repeats in V1_UNITS:
        for index in range(repeats):
            x = network.depthwise(x, 3, stride if index == 0 else 1)
            x = network.pointwise(x, channels, RELU6)
    return network.plan(network.head(x))


def mobilenet_v2(sparsity: float, block: int) -> Plan:
    """MobileNetV2 of width 1."""
    return _inverted(V2_UNITS, sparsity, block)


def efficientnet_lite0(sparsity: float, block: int) -> Plan:
    """EfficientNet-Lite0."""
    return _inverted(LITE_UNITS, sparsity, block)


NETWORKS: dict[str, Callable[[float, int], Plan]] = {
    "MobileNetV1": mobilenet_v1,
    "MobileNetV2": mobilenet_v2,
    "EfficientNet-Lite0": efficientnet_lite0,
}


def _inverted(units: tuple[tuple[int, int, int, int, int], ...], sparsity: float, block: int) -> Plan:
    network = _Network((3, 224, 224), sparsity, block)
    x = network.convolution("x", 32)
    for expansion, kernel, channels, stride, repeats in units:
        for index in range(repeats):
            inputs = network.channels(x)
            wide = network.pointwise(x, expansion * inputs, RELU6) if expansion > 1 else x
            step = stride if index == 0 else 1
            wide = network.depthwise(wide, kernel, step)
            x = network.pointwise(wide, channels, NONE, x if step == 1 and inputs == channels else None)
    x = network.pointwise(x, 1280, RELU6)
    return network.plan(network.head(x))


class _Network:
    """Collects the steps of a network whose input is `x`."""

    def __init__(self, shape: tuple[int, int, int], sparsity: float, block: int):
        self.tensors = {"x": Tensor("x", shape)}
        self.steps: list[Step] = []
        self.sparsity, self.block = sparsity, block
        self.generator = stream(0, "benchmark weights", f"{sparsity} {block}")

    def plan(self, output: str) -> Plan:
        """The plan that ends at `output`."""
        return Plan((self.tensors["x"],), self.tensors, tuple(self.steps), (output,))

    def channels(self, name: str) -> int:
        """How many channels a tensor has."""
        return self.tensors[name].shape[0]

    def convolution(self, x: str, channels: int) -> str:
        """The first layer: 3x3 at stride 2."""
        inputs, height, width = self.tensors[x].shape
        weights = self.weights(channels, inputs, 3, 3)
        settings = {**_window(3, 2), "groups": 1, **RELU6}
        return self.add("convolution", (x,), (channels, height // 2, width // 2), weights, settings)

    def depthwise(self, x: str, kernel: int, stride: int) -> str:
        """A depthwise layer that keeps, or halves, height and width."""
        channels, height, width = self.tensors[x].shape
        weights = self.weights(channels, kernel, kernel)
        shape = (channels, height // stride, width // stride)
        return self.add("depthwise", (x,), shape, weights, {**_window(kernel, stride), **RELU6})

    def pointwise(
        self, x: str, channels: int, activation: dict[str, Setting], residual: str | None = None
    ) -> str:
        """A 1x1 convolution with zeros in runs of `block` output channels."""
        inputs, *size = self.tensors[x].shape
        weights = self.weights(channels, inputs)
        kept = self.generator.random((-(-channels // self.block), inputs)) >= self.sparsity
        zeros = np.repeat(kept, self.block, axis=0)[:channels]
        # kept weights grow, so that signals stay as large as without zeros
        weights["weight"] = np.float32(1 / np.sqrt(1 - self.sparsity)) * weights["weight"] * zeros
        return self.add("pointwise", (x,), (channels, *size), weights, dict(activation), residual)

    def head(self, x: str) -> str:
        """Means over all pixels and the classifier."""
        mean = self.add("global_average_pool", (x,), (self.channels(x),), {}, {})
        weights = self.weights(NUM_CLASSES, self.channels(x))
        return self.add("linear", (mean,), (NUM_CLASSES,), weights, dict(NONE))

    def weights(self, channels: int, *rest: int) -> dict[str, np.ndarray]:
        """Weights that keep the size of signals through ReLU, and small biases."""
        scale = np.sqrt(2 / np.prod(rest))
        weight = scale * self.generator.standard_normal((channels, *rest))
        return {"weight": weight.astype(np.float32), "bias": np.full(channels, 0.01, np.float32)}

    def add(self, op: str, inputs, shape, weights, settings, residual: str | None = None) -> str:
        """Adds a step; its output's name."""
        name = f"t{len(self.steps)}"
        self.tensors[name] = Tensor(name, tuple(shape))
        self.steps.append(Step(op, inputs, name, weights, settings, residual, name=name))
        return name


def _window(kernel: int, stride: int) -> dict[str, Setting]:
    """The padding of TensorFlow for even sizes: the odd cell lies after the image."""
    padded = kernel - stride
    before = padded // 2
    padding = (before, before, padded - before, padded - before)
    return {"stride": (stride, stride), "padding": padding, "dilation": (1, 1)}
