"""Convolutional bodies: stages that halve an image or series, a U-shape for pixels, a stack for steps."""

import math
from typing import Any

from pomona.foundation.errors import SpecError
from pomona.networks.bodies.dense import dense
from pomona.networks.bodies.layers import Goal, Layer, chain, is_causal, series_stem
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

FIRST_WIDTH = 16
LAST_SIDE = 4
LAST_STEPS = 16
MOST_WIDTH = 128
MOST_SIZES = 4
STEP_WIDTH = 64
NUM_DILATIONS = 4
SOUND_SHAPE = (1, 64, 64)
"""Frames of a spectrogram overlap, so its image is treated as a large one, which starts with a stride."""


def convolutional(
    block: str, signal: Signal, source: str, goal: Goal = "vector", prefix: str = ""
) -> list[Block]:
    """A body of one kind of block that takes `width`; dense layers for a vector, which has no neighbours."""
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    if goal == "pixels":
        return _u_shape(block, signal, source, prefix)
    if goal != "vector":
        return chain(source, _stack(block, signal, goal), prefix)
    if signal.kind == "image":
        return chain(source, _image_stages(block, signal.shape), prefix)
    if signal.kind == "audio" or block == "cell":
        layers = series_stem(signal, STEP_WIDTH, goal)
        return chain(source, [*layers, ("image", "as_image", {}), *_image_stages(block, SOUND_SHAPE)], prefix)
    layers = [*series_stem(signal, STEP_WIDTH, goal), *_series_stages(block, signal.shape[0])]
    return chain(source, layers, prefix)


def _image_stages(block: str, shape: tuple[int, ...]) -> list[Layer]:
    """Halved until a side is about 4, twice as wide every time; large images start with a stride."""
    side = min(shape[1:])
    stride = 4 if side >= 160 else 2 if side >= 64 else 1
    num_stages = max(1, round(math.log2(max(side / stride / LAST_SIDE, 1)))) + 1
    layers: list[Layer] = [("stem", "convolution", {"width": FIRST_WIDTH, "stride": stride})]
    for stage in range(num_stages):
        if stage:
            layers.append((f"pool{stage}", "pool", {"method": "max"}))
        layers.append((f"stage{stage + 1}", block, {"width": _width(stage)}))
    return [*layers, ("vector", "global_pool", {})]


def _series_stages(block: str, num_steps: int) -> list[Layer]:
    num_stages = max(1, min(5, round(math.log2(max(num_steps / LAST_STEPS, 1))) + 1))
    layers: list[Layer] = [("stem", "convolution", {"width": 32, "kernel": 5})]
    for stage in range(num_stages):
        if stage:
            layers.append((f"pool{stage}", "pool", {"method": "max"}))
        layers.append((f"stage{stage + 1}", block, {"width": STEP_WIDTH if stage < 2 else MOST_WIDTH}))
    return [*layers, ("vector", "global_pool", {"method": "max"})]


def _stack(block: str, signal: Signal, goal: Goal) -> list[Layer]:
    """Layers that keep every step; dilated ones read twice as far each time."""
    if block == "cell":
        raise SpecError(f"cells are for images that need one answer, not for {goal} of {signal}")
    causal = is_causal(goal)
    layers = series_stem(signal, STEP_WIDTH, goal)
    for index in range(NUM_DILATIONS):
        args: dict[str, Any] = {"width": STEP_WIDTH, "causal": causal}
        args |= {"dilation": 2**index} if block == "dilated" else {"kernel": 5}
        layers.append((f"layer{index + 1}", block, args))
    layers.append(("norm", "normalisation", {"norm": "layer"}))
    return layers + ([("vector", "global_pool", {"method": "last"})] if goal == "horizon" else [])


def _u_shape(block: str, signal: Signal, source: str, prefix: str) -> list[Block]:
    """Down and up again, every size added to its like (Chaurasia and Culurciello 2017, LinkNet)."""
    if signal.kind != "image":
        raise SpecError(f"an answer at every pixel needs an image, got {signal}")
    sizes = [signal.shape[1:]]
    while min(sizes[-1]) > 2 * LAST_SIDE and len(sizes) < MOST_SIZES:
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    blocks = chain(source, [("down1", "convolution", {"width": FIRST_WIDTH})], prefix)
    for level in range(1, len(sizes)):
        pool: Layer = (f"pool{level}", "pool", {"method": "max"})
        blocks += chain(blocks[-1].id, [pool, (f"down{level + 1}", block, {"width": _width(level)})], prefix)
    for level in reversed(range(len(sizes) - 1)):
        narrow: Layer = (f"narrow{level + 1}", "convolution", {"width": _width(level), "kernel": 1})
        resize: Layer = (f"resize{level + 1}", "resize", {"shape": sizes[level]})
        blocks += chain(blocks[-1].id, [narrow, resize], prefix)
        blocks.append(
            Block(f"{prefix}join{level + 1}", "add", {}, (f"{prefix}down{level + 1}", blocks[-1].id))
        )
        blocks += chain(blocks[-1].id, [(f"up{level + 1}", block, {"width": _width(level)})], prefix)
    return blocks


def _width(stage: int) -> int:
    return min(MOST_WIDTH, FIRST_WIDTH * 2**stage)
