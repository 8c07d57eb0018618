"""The vision transformer (Dosovitskiy et al. 2020): an image as a sequence of patches.

It is a chain of three kinds of blocks: image_tokens, transformer without rotations, token_vector. A hybrid
reads, in place of pixels, what a convolutional stem makes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pomona.foundation.errors import SettingError, unknown_name
from pomona.networks.bodies.layers import Body, Goal, Layer, chain
from pomona.networks.bodies.stepwise import transformer
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal, feature_of
from pomona.networks.spec import Block, Spec

EPSILON = 1e-6
"""What normalisations add to variances, as in the released code."""

GRID_WIDTH = 64
"""Channels of the grid of patches that an answer at every pixel is read from."""


@dataclass(frozen=True)
class VitShape:
    """A vision transformer without its head. Defaults that are no size are the paper's fine-tuning ones."""

    width: int
    depth: int
    heads: int
    patch: int
    expand: int = 4
    class_tokens: int = 1
    """2 with DeiT's token for distillation (Touvron et al. 2021)."""
    registers: int = 0
    """Tokens more that stand nowhere and are read by nobody (Darcet et al. 2023)."""
    positions: Literal["learned", "none"] = "learned"
    pool: Literal["first", "mean"] = "first"
    """Whether the head reads the class tokens or the mean of the patches."""
    norm: Literal["before", "after"] = "before"
    representation: int = 0
    """Width of a tanh layer before the head, as in pre-training; 0 for none."""
    dropout: float = 0.0
    attention_dropout: float = 0.0
    drop_path: float = 0.0
    """Of the last layer; it grows from 0 in the first one, in a line."""
    layer_scale: bool = False
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise SettingError(f"a width of {self.width} does not split into {self.heads} heads")


SIZES: dict[str, tuple[int, int, int]] = {
    "ti": (192, 12, 3),
    "s": (384, 12, 6),
    "b": (768, 12, 12),
    "l": (1024, 24, 16),
    "h": (1280, 32, 16),
}
"""Name → width, depth, heads."""


def vit_of_size(name: str, patch: int, **others: Any) -> VitShape:
    """The published size of this name, "ti", "s", "b", "l" or "h", with any patch."""
    if name not in SIZES:
        raise unknown_name("size of vision transformer", name, SIZES)
    width, depth, heads = SIZES[name]
    return VitShape(width, depth, heads, patch, **others)


def small_vit(signal: Signal, **others: Any) -> VitShape:
    """A size that trains in minutes on a processor; patches so that about 16 to 64 of them make an image."""
    side = min(signal.shape[1:])
    patch = next((size for size in (2, 4, 8) if side <= 10 * size), 16)
    sizes: dict[str, Any] = {"width": 64, "depth": 4, "heads": 4, "patch": patch, "expand": 2}
    return VitShape(**(sizes | others))


def vit_body(
    signal: Signal,
    source: str,
    goal: Goal = "vector",
    prefix: str = "",
    *,
    shape: VitShape | None = None,
    stem: tuple[Layer, ...] = (),
) -> list[Block]:
    """The blocks from an image to a vector, or to an image for an answer at every pixel.

    `stem` are layers before the patches. What is no image gets the layers of a plain transformer.
    """
    if signal.kind != "image":
        return transformer(signal, source, goal, prefix)
    shape = shape or small_vit(signal)
    blocks = chain(source, stem, prefix)
    if stem:
        read = Spec({source: feature_of(source, signal)}, tuple(blocks), {"stem": blocks[-1].id})
        signal, source = signals(read)[blocks[-1].id], blocks[-1].id
    return blocks + chain(source, [*encoder(shape), *_end(signal, shape, goal)], prefix)


def sized_vit_body(name: str) -> Body:
    """The body of a published size with any patch, "b/16"; a small patch that suits the image with "b" alone.

    Raises SettingError for other names.
    """
    size, slash, patch = name.partition("/")
    if size not in SIZES or (slash and not patch.isdecimal()):
        raise SettingError(
            f"a vision transformer is vit-SIZE or vit-SIZE/PATCH, SIZE one of {', '.join(SIZES)}, "
            f"as vit-b/16; got vit-{name}"
        )

    def body(signal: Signal, source: str, goal: Goal = "vector", prefix: str = "") -> list[Block]:
        if signal.kind != "image":
            return vit_body(signal, source, goal, prefix)
        shape = vit_of_size(size, int(patch) if patch else small_vit(signal).patch)
        return vit_body(signal, source, goal, prefix, shape=shape)

    return body


def encoder(shape: VitShape) -> list[Layer]:
    """Tokens and transformer layers."""
    tokens: Mapping[str, Any] = {
        "size": shape.patch,
        "width": shape.width,
        "class_tokens": shape.class_tokens,
        "registers": shape.registers,
        "positions": shape.positions,
        "dropout": shape.dropout,
    }
    layers: list[Layer] = [("tokens", "image_tokens", tokens)]
    for index in range(shape.depth):
        layer = {
            "heads": shape.heads,
            "head_width": shape.width // shape.heads,
            "expand": shape.expand,
            "dropout": shape.dropout,
            "attention_dropout": shape.attention_dropout,
            "drop_path": shape.drop_path * index / max(1, shape.depth - 1),
            "layer_scale": shape.layer_scale,
            "epsilon": shape.epsilon,
            "rotary": False,
        }
        layers.append((f"layer{index + 1}", "transformer", layer))
    return layers


def grid_of(signal: Signal, shape: VitShape) -> tuple[int, int]:
    """Rows and columns of the patches of an image."""
    _, height, wide = signal.shape
    return -(-height // shape.patch), -(-wide // shape.patch)


def _end(signal: Signal, shape: VitShape, goal: Goal) -> list[Layer]:
    """From tokens to a vector, or to an image of the patches of `signal`."""
    if goal == "pixels":
        rows, columns = grid_of(signal, shape)
        return [
            ("norm", "normalisation", {"norm": "layer"}),
            ("grid", "as_grid", {"shape": (rows, columns)}),
            ("mixed", "convolution", {"width": GRID_WIDTH}),
        ]
    count = shape.class_tokens + (shape.registers if shape.pool == "mean" else 0)
    args = {"method": shape.pool, "count": count, "norm": shape.norm, "epsilon": shape.epsilon}
    layers: list[Layer] = [("vector", "token_vector", args)]
    if shape.representation:
        dense = {"width": shape.representation, "activation": "tanh"}
        layers.append(("representation", "dense", dense))
    return layers
