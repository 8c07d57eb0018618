"""A hybrid (Dosovitskiy et al. 2020): a vision transformer that reads what a convolutional stem makes."""

from dataclasses import replace

from pomona.networks.bodies.layers import Goal, Layer
from pomona.networks.signal import Signal
from pomona.networks.spec import Block
from pomona.networks.vit import small_vit, vit_body

STEM: tuple[Layer, ...] = (
    ("root", "standardised_convolution", {"width": 32}),
    ("unit1", "bottleneck", {"width": 64, "stride": 2}),
    ("unit2", "bottleneck", {"width": 64}),
    ("stem_norm", "normalisation", {}),
    ("stem_relu", "activation", {}),
)
"""Units of Big Transfer that halve the image."""


def hybrid_body(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
    """A small vision transformer on half as large an image of features, with as many tokens as without."""
    if signal.kind != "image":
        return vit_body(signal, source, goal, prefix)
    shape = small_vit(signal)
    shape = replace(shape, patch=shape.patch // 2)
    return vit_body(signal, source, goal, prefix, shape=shape, stem=STEM)
