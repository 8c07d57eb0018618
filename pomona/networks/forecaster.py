"""Encoder-decoder networks that forecast, as data: readers of the past, makers of the future, shortcuts.

past ──fill──► encoder ──► state ─┐
                 └──► memory ─────┤
future ───────────────────────────┼──► decoder ──► head "y" (horizon, numbers)
static ──embed──► vector ─────────┘
past ──► linear and seasonal shortcuts ──► head "shortcut" (horizon, 1)
"""

import itertools
from dataclasses import dataclass
from typing import Literal

from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature

Encoder = Literal["dense", "multi-rate", "dilated", "gru", "attention", "none"]
Decoder = Literal["dense", "gru", "dilated", "attention"]
Shortcut = Literal["none", "linear", "seasonal", "both"]

ENCODERS: tuple[str, ...] = ("dense", "multi-rate", "dilated", "gru", "attention", "none")
DECODERS: tuple[str, ...] = ("dense", "gru", "dilated", "attention")
SHORTCUTS: tuple[str, ...] = ("none", "linear", "seasonal", "both")

STEP_WIDTH = 8
"""Features of a step of the past, and of a future step before its last layers, in dense networks."""

EMBEDDING = 8


@dataclass(frozen=True)
class ForecastShape:
    """What a forecasting network reads and gives."""

    context: int
    horizon: int
    past_features: int
    """Of a step of the past, beside its value and whether that is known."""
    future_features: int
    """Of a step of the horizon, at least 1."""
    static_tokens: int = 0
    """Different values that static columns have together, one for the unknown included; 0 without any."""
    static_columns: int = 0
    static_numbers: int = 0
    season: int = 1
    numbers: int = 12
    """What the head gives for every step."""


@dataclass(frozen=True)
class ForecasterPlan:
    """How a forecasting network is made."""

    encoder: Encoder = "dense"
    decoder: Decoder = "dense"
    width: int = 64
    depth: int = 1
    dropout: float = 0.0
    shortcut: Shortcut = "linear"
    gated: bool = False
    """Further layers enter through gates that start closed."""


def forecaster_spec(shape: ForecastShape, plan: ForecasterPlan) -> Spec:
    """The network of `plan` for `shape`: a Spec over FORECAST_BLOCKS."""
    inputs = {
        "past": Feature("past", "series", (shape.context, 2 + shape.past_features)),
        "future": Feature("future", "series", (shape.horizon, shape.future_features)),
    }
    if shape.static_tokens:
        size = (shape.static_columns,)
        inputs["static"] = Feature("static", "tokens", size, num_tokens=shape.static_tokens)
    if shape.static_numbers:
        inputs["numbers"] = Feature("numbers", "vector", (shape.static_numbers,))
    making = _Making(shape, plan)
    blocks = [*making.past(), *making.static(), *making.encoder(), *making.decoder(), *making.shortcuts()]
    outputs = {"y": "raw"}
    if any(block.id == "shortcut" for block in blocks):
        outputs["shortcut"] = "shortcut"
    return Spec(inputs, tuple(blocks), outputs)


@dataclass(frozen=True)
class _Making:
    """Blocks of one network, part by part; later parts know the ids of earlier ones."""

    shape: ForecastShape
    plan: ForecasterPlan

    def past(self) -> list[Block]:
        # the wrapper puts "known or not" last
        return [Block("filled", "missing_steps", {"num_values": 1}, ("past",))]

    def static(self) -> list[Block]:
        if not self.shape.static_tokens:
            return []
        embed = Block("embedded", "embed", {"width": EMBEDDING}, ("static",))
        return [embed, Block("static_vector", "flatten", {}, ("embedded",))]

    @property
    def vectors(self) -> tuple[str, ...]:
        """Vectors that are known of a series."""
        static = ("static_vector",) if self.shape.static_tokens else ()
        return static + (("numbers",) if self.shape.static_numbers else ())

    def encoder(self) -> list[Block]:
        """Blocks that end in a vector "state"; "memory" is the series that attention reads."""
        if self.plan.encoder == "none":
            return [Block("last", "last_step", {}, ("filled",)), *self._state("last")]
        return ENCODER_BLOCKS[self.plan.encoder](self)

    def _state(self, first: str, *sources: str) -> list[Block]:
        """The vector "state" of `width` from vectors, static ones included, and its further layers."""
        parts = (first, *sources, *self.vectors)
        blocks = [Block("joined", "concatenate", {}, parts)] if len(parts) > 1 else []
        source = "joined" if blocks else first
        blocks.append(
            Block("state", "dense", {"width": self.plan.width, "dropout": self.plan.dropout}, (source,))
        )
        return blocks

    def narrowed(self) -> list[Block]:
        """Steps of the past made narrower where they are wide, which what flattens them needs."""
        if self.shape.past_features <= STEP_WIDTH:
            return []
        return [Block("narrow", "dense", {"width": STEP_WIDTH, "activation": "relu"}, ("filled",))]

    def layers(self, name: str, block: str, source: str, args: list[dict]) -> list[Block]:
        """Layers one after another, the last one called `name`."""
        blocks = []
        for index, more in enumerate(args):
            own = name if index == len(args) - 1 else f"{name}_{index}"
            gate = {"residual": True} if self.plan.gated and index > 0 else {}
            blocks.append(Block(own, block, {**more, **gate}, (source,)))
            source = own
        return blocks

    def decoder(self) -> list[Block]:
        return [*DECODER_BLOCKS[self.plan.decoder](self), self._head("decoded")]

    def _head(self, source: str) -> Block:
        return Block("raw", "step_head", {"classes": self.shape.numbers}, (source,))

    def shortcuts(self) -> list[Block]:
        blocks, horizon = [], {"horizon": self.shape.horizon}
        if self.plan.shortcut in ("linear", "both"):
            blocks.append(Block("linear", "time_linear", horizon, ("filled",)))
        num_seasons = min(3, self.shape.context // self.shape.season) if self.shape.season > 1 else 0
        if self.plan.shortcut in ("seasonal", "both") and num_seasons:
            args = {"season": self.shape.season, "num_seasons": num_seasons, **horizon}
            blocks.append(Block("seasonal", "seasonal_repeat", args, ("filled",)))
        if len(blocks) == 2:
            return [*blocks, Block("shortcut", "add", {}, ("linear", "seasonal"))]
        return [Block("shortcut", block.block, block.args, block.sources) for block in blocks]

    def future(self, *vectors: str) -> Block:
        """The steps of the future with vectors beside each, as "ahead"."""
        return Block("ahead", "beside", {}, ("future", *vectors))


def _dense_encoder(making: _Making) -> list[Block]:
    """Das et al. 2023, TiDE: steps made narrow, flattened with the future, dense layers with shortcuts."""
    plan, blocks = making.plan, making.narrowed()
    source = blocks[-1].id if blocks else "filled"
    blocks += [Block("memory", "dense", {"width": STEP_WIDTH, "activation": "none"}, (source,))]
    blocks += [Block("flat", "flatten", {}, ("memory",)), *_flat_future(making)]
    blocks += making._state("flat", "flat_future")
    return [*blocks[:-1], *_deeper(blocks[-1], "residual_dense", plan.depth, {"dropout": plan.dropout})]


def _flat_future(making: _Making) -> list[Block]:
    narrow = Block("narrow_future", "dense", {"width": STEP_WIDTH // 2}, ("future",))
    return [narrow, Block("flat_future", "flatten", {}, ("narrow_future",))]


def _deeper(first: Block, block: str, depth: int, args: dict) -> list[Block]:
    """`first` under another id, then `depth` blocks, the last of which has its id."""
    ids = [f"{first.id}_{index}" for index in range(depth)] + [first.id]
    blocks = [Block(ids[0], first.block, first.args, first.sources)]
    return blocks + [Block(after, block, args, (before,)) for before, after in itertools.pairwise(ids)]


def _multi_rate_encoder(making: _Making) -> list[Block]:
    shape, plan = making.shape, making.plan
    slow = max(2, min(shape.season if shape.season > 1 else 4, shape.context // 2))
    rates = tuple(dict.fromkeys((slow, max(2, slow // 3), 1)))
    args = {"horizon": shape.horizon, "rates": rates, "inner": plan.width, "width": STEP_WIDTH}
    blocks = making.narrowed()
    blocks += [Block("memory", "multi_rate", args, (blocks[-1].id if blocks else "filled",))]
    return [*blocks, Block("flat", "flatten", {}, ("memory",)), *making._state("flat")]


def _dilated_encoder(making: _Making) -> list[Block]:
    shape, plan = making.shape, making.plan
    num_layers = max(2, (shape.context // 2).bit_length() - 1 + plan.depth - 1)
    sizes = [2**index for index in range(num_layers) if 2**index <= 64]
    args = [{"width": plan.width // 2, "dilation": size, "causal": True} for size in sizes]
    blocks = making.layers("memory", "dilated", "filled", args)
    return [*blocks, Block("last", "last_step", {}, ("memory",)), *making._state("last")]


def _gru_encoder(making: _Making) -> list[Block]:
    blocks = making.layers("memory", "gru", "filled", [{"width": making.plan.width}] * making.plan.depth)
    return [*blocks, Block("last", "last_step", {}, ("memory",)), *making._state("last")]


def _attention_encoder(making: _Making) -> list[Block]:
    shape, plan = making.shape, making.plan
    size = max(1, round(shape.context / 16))
    patches = Block("patched", "series_patches", {"size": size, "width": plan.width}, ("filled",))
    args = {"heads": 4, "head_width": max(8, plan.width // 4), "dropout": plan.dropout}
    blocks = [patches, *making.layers("memory", "transformer", "patched", [args] * plan.depth)]
    return [*blocks, Block("flat", "flatten", {}, ("memory",)), *making._state("flat")]


def _dense_decoder(making: _Making) -> list[Block]:
    shape, plan = making.shape, making.plan
    ahead = {"width": shape.horizon * STEP_WIDTH, "activation": "relu"}
    blocks = [
        Block("unrolled", "dense", ahead, ("state",)),
        Block("stepwise", "steps", {"size": STEP_WIDTH}, ("unrolled",)),
    ]
    sources = ("stepwise", "future") + (("memory",) if plan.encoder == "multi-rate" else ())
    blocks.append(Block("ahead", "concatenate", {}, sources))
    return [*blocks, Block("decoded", "dense", {"width": plan.width // 2}, ("ahead",))]


def _gru_decoder(making: _Making) -> list[Block]:
    width = {"width": making.plan.width}
    return [making.future("state"), Block("decoded", "gru", width, ("ahead",))]


def _dilated_decoder(making: _Making) -> list[Block]:
    width = making.plan.width // 2
    sizes = [size for size in (1, 2, 4, 8, 16) if size < max(2, making.shape.horizon)]
    args = [{"width": width, "dilation": size} for size in sizes]
    return [making.future("state"), *making.layers("decoded", "dilated", "ahead", args)]


def _attention_decoder(making: _Making) -> list[Block]:
    width = making.plan.width
    memory = "filled" if making.plan.encoder == "none" else "memory"
    args = {"heads": 4, "head_width": max(8, width // 4)}
    return [
        making.future("state"),
        Block("asking", "dense", {"width": width, "activation": "none"}, ("ahead",)),
        Block("read", "cross_attention", args, ("asking", memory)),
        Block("decoded", "residual_dense", {"dropout": making.plan.dropout}, ("read",)),
    ]


ENCODER_BLOCKS = {
    "dense": _dense_encoder,
    "multi-rate": _multi_rate_encoder,
    "dilated": _dilated_encoder,
    "gru": _gru_encoder,
    "attention": _attention_encoder,
}
DECODER_BLOCKS = {
    "dense": _dense_decoder,
    "gru": _gru_decoder,
    "dilated": _dilated_decoder,
    "attention": _attention_decoder,
}
