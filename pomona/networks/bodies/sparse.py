"""Sparse transformers as bodies, BigBird and ETC: for sequences of thousands of steps."""

from typing import Any

from pomona.foundation.errors import SpecError
from pomona.networks.bodies.dense import dense
from pomona.networks.bodies.layers import Goal, Layer, chain, is_causal, series_stem
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

WIDTH = 64
NUM_LAYERS = 2
LONG = 2048
"""From so many steps on, blocks and stretches are large: large ones are faster, and there are enough."""


def sparse(block: str, signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """Two layers of `block` on tokens, steps, frames, samples' windows or rows of an image.

    Raises SpecError where ETC, whose summaries look ahead, would have to tell the next token.
    """
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    if block == "etc" and goal == "next":
        raise SpecError("etc sees later tokens and cannot tell the next one: use bigbird or transformer")
    if signal.kind == "image":
        size = max(2, 2 ** round(min(signal.shape[1:]) ** 0.5 / 2 - 1))
        layers: list[Layer] = [("patches", "patches", {"size": size, "width": WIDTH})]
    else:
        layers = series_stem(signal, WIDTH, goal)
    if signal.kind not in ("image", "tokens"):
        layers.append(("widen", "dense", {"width": WIDTH, "activation": "none"}))
    for index in range(NUM_LAYERS):
        layers.append((f"layer{index + 1}", block, _arguments(block, signal, goal, index)))
    layers.append(("norm", "normalisation", {"norm": "layer"}))
    if goal in ("steps", "next"):
        return chain(source, layers, prefix)
    method = "last" if goal == "horizon" else "attentive"
    return chain(source, [*layers, ("vector", "global_pool", {"method": method})], prefix)


def _arguments(block: str, signal: Signal, goal: Goal, index: int) -> dict[str, Any]:
    is_long = signal.kind != "image" and signal.shape[0] >= LONG
    if block == "etc":
        return {"stretch": 64} if is_long else {}
    return {"causal": is_causal(goal), "seed": index} | ({"block_size": 64} if is_long else {})
