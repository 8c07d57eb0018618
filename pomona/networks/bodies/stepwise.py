"""Recurrent and transformer bodies: a series step by step, or all steps at once."""

from pomona.networks.bodies.dense import dense
from pomona.networks.bodies.layers import Goal, Layer, chain, is_causal, series_stem
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

WIDTH = 64
NUM_LAYERS = 2


def recurrent(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """Two GRU layers, both ways unless that would look ahead. An image is read row by row."""
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    both_ways = not is_causal(goal)
    layers = series_stem(signal, WIDTH, goal)
    for index in range(NUM_LAYERS):
        layers.append((f"gru{index + 1}", "gru", {"width": WIDTH, "bidirectional": both_ways}))
    return chain(source, layers + _end(goal), prefix)


def transformer(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """Two transformer layers on tokens, steps, frames or patches."""
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    layers = series_stem(signal, WIDTH, goal)
    if signal.kind == "image":
        args: dict[str, Any] = {
            "size": max(2, 2 ** round(min(signal.shape[1:]) ** 0.5 / 2 - 1)),
            "width": WIDTH,
        }
        layers = [("patches", "patches", args)]
    elif signal.kind != "tokens":
        layers.append(("widen", "dense", {"width": WIDTH, "activation": "none"}))
    for index in range(NUM_LAYERS):
        layers.append((f"layer{index + 1}", "transformer", {"causal": is_causal(goal)}))
    layers.append(("norm", "normalisation", {"norm": "layer"}))
    return chain(source, layers + _end(goal), prefix)


def _end(goal: Goal) -> list[Layer]:
    if goal in ("steps", "next"):
        return []
    return [("vector", "global_pool", {"method": "last" if goal == "horizon" else "attentive"})]
