"""Dense layers: for vectors, and the plainest thing for anything else."""

from pomona.foundation.errors import SpecError
from pomona.networks.bodies.layers import Goal, Layer, chain, series_stem
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

WIDTH = 128


def dense(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """A dense layer and two residual ones: of all values at once, or of every step that has an answer."""
    if goal == "pixels":
        raise SpecError(f"dense layers have no answer for every pixel of {signal}")
    layers: list[Layer] = []
    if goal in ("steps", "next"):
        layers += series_stem(signal, WIDTH, goal)
    elif signal.kind == "tokens":
        layers += [("embed", "embed", {"width": WIDTH}), ("vector", "global_pool", {})]
    elif signal.kind == "audio":
        layers += [("mel", "melspectrogram", {}), ("vector", "flatten", {})]
    elif signal.kind != "vector":
        layers.append(("vector", "flatten", {}))
    layers += [
        ("dense", "dense", {"width": WIDTH}),
        ("residual1", "residual_dense", {"dropout": 0.1}),
        ("residual2", "residual_dense", {"dropout": 0.1}),
    ]
    return chain(source, layers, prefix)
