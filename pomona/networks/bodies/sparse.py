"""BigBird as a body: a transformer for sequences of thousands of steps."""

from typing import Any

from pomona.networks.bodies.dense import dense
from pomona.networks.bodies.layers import Goal, Layer, chain, is_causal, series_stem
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

WIDTH = 64
NUM_LAYERS = 2
LONG = 2048
"""From so many steps on, blocks are large: there are enough of them, and large ones are faster."""


def bigbird(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """Two BigBird layers on tokens, steps, frames, samples' windows or rows of an image."""
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    if signal.kind == "image":
        size = max(2, 2 ** round(min(signal.shape[1:]) ** 0.5 / 2 - 1))
        layers: list[Layer] = [("patches", "patches", {"size": size, "width": WIDTH})]
    else:
        layers = series_stem(signal, WIDTH, goal)
    if signal.kind not in ("image", "tokens"):
        layers.append(("widen", "dense", {"width": WIDTH, "activation": "none"}))
    for index in range(NUM_LAYERS):
        args: dict[str, Any] = {"causal": is_causal(goal), "seed": index}
        if signal.kind != "image" and signal.shape[0] >= LONG:
            args["block_size"] = 64
        layers.append((f"layer{index + 1}", "bigbird", args))
    layers.append(("norm", "normalisation", {"norm": "layer"}))
    if goal in ("steps", "next"):
        return chain(source, layers, prefix)
    method = "last" if goal == "horizon" else "attentive"
    return chain(source, [*layers, ("vector", "global_pool", {"method": method})], prefix)
