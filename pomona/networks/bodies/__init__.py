"""Bodies: families of networks for any signal and goal, as blocks from an input to what a head reads."""

from functools import partial

from pomona.networks.bodies.convolutional import convolutional
from pomona.networks.bodies.dense import dense
from pomona.networks.bodies.layers import Body, Goal
from pomona.networks.bodies.sparse import sparse
from pomona.networks.bodies.stepwise import recurrent, transformer
from pomona.networks.signal import Signal
from pomona.networks.spec import Block


def default(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """The body that suits a signal: dense for vectors, residual convolutions for most else."""
    if signal.kind == "vector":
        return dense(signal, source, goal, prefix)
    if goal == "next":
        return transformer(signal, source, goal, prefix)
    if goal == "steps":
        return recurrent(signal, source, goal, prefix)
    if goal == "horizon":
        return convolutional("dilated", signal, source, goal, prefix)
    return convolutional("residual", signal, source, goal, prefix)


BODIES: dict[str, Body] = {
    "default": default,
    "dense": dense,
    "convolution": partial(convolutional, "convolution"),
    "residual": partial(convolutional, "residual"),
    "mobile": partial(convolutional, "inverted_residual"),
    "dilated": partial(convolutional, "dilated"),
    "cell": partial(convolutional, "cell"),
    "recurrent": recurrent,
    "transformer": transformer,
    "bigbird": partial(sparse, "bigbird"),
    "etc": partial(sparse, "etc"),
}
