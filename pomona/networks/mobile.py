"""Mobile networks as published: MobileNetV1, MobileNetV2 and EfficientNet-Lite0.

Howard et al. 2017, Sandler et al. 2018, Tan and Le 2019 (lite: without squeeze and excite). They are the only
networks of the house whose normalisation is over the batch, since that is what vanishes when they are
exported, and their speed is what they are for. Their depthwise convolutions pad both sides alike.
"""

import math
import re
from collections.abc import Callable

from pomona.foundation.errors import SettingError
from pomona.networks.bodies import default
from pomona.networks.bodies.layers import Body, Goal, Layer, chain
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

LAST_SIDE = 4
PUBLISHED_SIDE = 128
"""Images of this side and larger are halved as often as published, smaller ones until about LAST_SIDE."""

V1_UNITS: tuple[tuple[int, int, int], ...] = (
    (64, 1, 1),
    (128, 2, 2),
    (256, 2, 2),
    (512, 2, 6),
    (1024, 2, 2),
)
"""Width, stride of the first unit, number of units."""

V2_UNITS: tuple[tuple[int, int, int, int, int], ...] = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 3, 32, 2, 3),
    (6, 3, 64, 2, 4),
    (6, 3, 96, 1, 3),
    (6, 3, 160, 2, 3),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, width, stride of the first unit, number of units."""

LITE_UNITS: tuple[tuple[int, int, int, int, int], ...] = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 2, 3),
    (6, 5, 112, 1, 3),
    (6, 5, 192, 2, 4),
    (6, 3, 320, 1, 1),
)

Layers = Callable[[float], list[Layer]]


def mobilenet_body(name: str) -> Body:
    """The body of MobileNet v1 or v2, "v1", or "v2x1.4" with that many times the channels."""
    return _body("mobilenet", {"v1": _v1_layers, "v2": _v2_layers}, name)


def efficientnet_body(name: str) -> Body:
    """The body of EfficientNet-Lite0, "lite0", or wider, "lite0x1.2"."""
    return _body("efficientnet", {"lite0": _lite_layers}, name)


def _body(family: str, sizes: dict[str, Layers], name: str) -> Body:
    found = re.fullmatch(r"(\w+?)(?:x(\d+(?:\.\d+)?))?", name)
    factor = float(found[2] or 1) if found else 0.0
    if found is None or found[1] not in sizes or not 0.1 <= factor <= 10:
        known = " or ".join(f"{family}-{size}" for size in sizes)
        raise SettingError(
            f"such a network is {known}, or wider, as {family}-{next(iter(sizes))}x1.2; got {family}-{name}"
        )
    layers = sizes[found[1]](factor)

    def body(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
        if signal.kind != "image" or goal != "vector":
            return default(signal, source, goal, prefix)
        fitted = _with_fewer_strides(layers, min(signal.shape[1:]))
        return chain(source, [*fitted, ("vector", "global_pool", {})], prefix)

    return body


def _v1_layers(factor: float) -> list[Layer]:
    layers: list[Layer] = [_convolution("stem", _width(32, factor), kernel=3, stride=2)]
    for stage, (width, stride, count) in enumerate(V1_UNITS):
        for unit in range(count):
            name = f"stage{stage + 1}_{unit + 1}"
            step = stride if unit == 0 else 1
            layers.append(_convolution(f"{name}_depthwise", 1, kernel=3, stride=step, depthwise=True))
            layers.append(_convolution(f"{name}_pointwise", _width(width, factor), kernel=1))
    return layers


def _v2_layers(factor: float) -> list[Layer]:
    return _inverted(V2_UNITS, _width(32, factor), factor, _width(1280, max(1.0, factor)))


def _lite_layers(factor: float) -> list[Layer]:
    # the lite networks keep the stem and the last layer of every size as they are
    return _inverted(LITE_UNITS, 32, factor, 1280)


def _inverted(
    units: tuple[tuple[int, int, int, int, int], ...], first: int, factor: float, last: int
) -> list[Layer]:
    layers: list[Layer] = [_convolution("stem", first, kernel=3, stride=2)]
    for stage, (expand, kernel, width, stride, count) in enumerate(units):
        for unit in range(count):
            args = {
                "width": _width(width, factor),
                "expand": expand,
                "kernel": kernel,
                "stride": stride if unit == 0 else 1,
                "norm": "batch",
            }
            layers.append((f"stage{stage + 1}_{unit + 1}", "linear_bottleneck", args))
    return [*layers, _convolution("last", last, kernel=1), ("dropout", "dropout", {"rate": 0.2})]


def _convolution(name: str, width: int, *, kernel: int, stride: int = 1, depthwise: bool = False) -> Layer:
    args = {"width": width, "kernel": kernel, "stride": stride, "depthwise": depthwise, "norm": "batch"}
    return name, "mobile_convolution", args


def _width(width: int, factor: float) -> int:
    """The nearest multiple of 8, not below 90 % of what is asked for."""
    wanted = width * factor
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def _with_fewer_strides(layers: list[Layer], side: int) -> list[Layer]:
    """The first halvings left out where the image is too small for all of them."""
    num_halvings = sum(args.get("stride") == 2 for _, _, args in layers)
    wanted = num_halvings if side >= PUBLISHED_SIDE else max(1, round(math.log2(max(2, side / LAST_SIDE))))
    spare, result = max(0, num_halvings - wanted), []
    for name, block, args in layers:
        if spare and args.get("stride") == 2:
            spare -= 1
            args = {**args, "stride": 1}
        result.append((name, block, args))
    return result
