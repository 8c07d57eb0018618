"""A convolutional rival of vision transformers: ResNet-v2 as in Big Transfer (Kolesnikov et al. 2019).

Published sizes differ from the paper's in the pooling after the first convolution, 2 × 2 here.
"""

import math
import re

from pomona.foundation.errors import SettingError
from pomona.networks.bodies import default
from pomona.networks.bodies.layers import Body, Goal, Layer, chain
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

UNITS: dict[str, tuple[int, ...]] = {
    "26": (2, 2, 2, 2),
    "50": (3, 4, 6, 3),
    "101": (3, 4, 23, 3),
    "152": (3, 8, 36, 3),
}
"""Number of layers → units a stage."""

SMALL_WIDTH, LARGE_WIDTH = 64, 256
"""Channels of the first stage, of a size that suits small images and of published ones.

A quarter of them sees neighbours: at 32 the small one learned next to nothing of `moving-glyphs`.
"""

SMALL_UNITS = 1
LAST_SIDE = 4
SMALL_GROUPS, LARGE_GROUPS = 8, 32


def bit_body(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """A size for small images, halved until a side is about 4; what is no image gets the default body."""
    if signal.kind != "image" or goal != "vector":
        return default(signal, source, goal, prefix)
    side = min(signal.shape[1:])
    num_stages = max(1, min(4, round(math.log2(max(side / LAST_SIDE, 1))) + 1))
    layers: list[Layer] = [("root", "standardised_convolution", {"width": SMALL_WIDTH // 4})]
    layers += _stages((SMALL_UNITS,) * num_stages, SMALL_WIDTH, SMALL_GROUPS)
    return chain(source, [*layers, *_end()], prefix)


def sized_bit_body(name: str) -> Body:
    """The body of a published size, "r50x1": layers and width factor. Raises SettingError for other names."""
    found = re.fullmatch(r"r(\d+)x([1-4])", name)
    if found is None or found[1] not in UNITS:
        raise SettingError(f"a BiT network is bit-r50x1: r, {' or '.join(UNITS)}, x, 1 to 4; got bit-{name}")
    units, factor = UNITS[found[1]], int(found[2])

    def body(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
        if signal.kind != "image" or goal != "vector":
            return default(signal, source, goal, prefix)
        root = {"width": LARGE_WIDTH // 4 * factor, "kernel": 7, "stride": 2}
        layers: list[Layer] = [("root", "standardised_convolution", root), ("pool", "pool", {"size": 2})]
        layers += _stages(units, LARGE_WIDTH * factor, LARGE_GROUPS)
        return chain(source, [*layers, *_end()], prefix)

    return body


def _stages(units: tuple[int, ...], width: int, groups: int) -> list[Layer]:
    """Each stage twice as wide as the one before, and half as high after the first."""
    return [
        (
            f"stage{stage + 1}_{unit + 1}",
            "bottleneck",
            {"width": width * 2**stage, "stride": 2 if stage and not unit else 1, "groups": groups},
        )
        for stage, count in enumerate(units)
        for unit in range(count)
    ]


def _end() -> list[Layer]:
    return [("norm", "normalisation", {}), ("relu", "activation", {}), ("vector", "global_pool", {})]
