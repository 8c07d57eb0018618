"""Changes of a block's arguments: wider, narrower, or another choice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pomona.find.search import edits
from pomona.find.search.mutations.change import Change
from pomona.find.search.palette import Palette, pick
from pomona.networks.construct import GATE
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec


def widen(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A block of twice the width, or the next that can be chosen."""
    return _resize(spec, palette, generator, larger=True)


def narrow(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A block of half the width, or the next smaller that can be chosen."""
    return _resize(spec, palette, generator, larger=False)


def choose(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """Another choice for an argument that is no width."""
    places = [
        (block, name)
        for block in spec.blocks
        for name, options in palette.choices(block.block).items()
        if name not in palette.blocks[block.block].widens and len(options) > 1
    ]
    place = pick(places, generator)
    if place is None:
        return None
    block, name = place
    before = palette.arguments(block)[name]
    after = pick([option for option in palette.choices(block.block)[name] if option != before], generator)
    changed = edits.replace_block(spec, block.id, block.with_args(**{name: after}))
    return Change(changed, f"changed {name} of {block.id} from {said(before)} to {said(after)}")


def _resize(spec: Spec, palette: Palette, generator: np.random.Generator, *, larger: bool) -> Change | None:
    places = [(block, name) for block in spec.blocks for name in palette.blocks[block.block].widens]
    place = pick(places, generator)
    if place is None:
        return None
    block, name = place
    before = palette.arguments(block)[name]
    after = _next_size(before, palette.blocks[block.block].choices.get(name, ()), larger)
    if after is None:
        return None
    changed = edits.replace_block(spec, block.id, block.with_args(**{name: after}))
    verb = "widened" if larger else "narrowed"
    return Change(
        _follow_width(changed, block.id, before, after), f"{verb} {block.id} from {before} to {after}"
    )


def _next_size(before: int, choices: tuple[Any, ...], larger: bool) -> int | None:
    if larger:
        # doubling keeps what the network computes; past the largest choice it stops
        bigger = [size for size in choices if size > before]
        return None if not bigger else (2 * before if 2 * before <= max(choices) else min(bigger))
    smaller = [size for size in choices if size < before]
    return max(smaller) if smaller else None


def _follow_width(spec: Spec, block_id: str, before: int, after: int) -> Spec:
    """Gated blocks keep the shape: those behind a resized block are resized with it."""
    changed = {block_id}
    blocks: list[Block] = []
    for block in spec.blocks:
        if changed & set(block.sources) and block.args.get(GATE):
            changed.add(block.id)
            if block.args.get("width") == before:
                block = block.with_args(width=after)
        blocks.append(block)
    return Spec(spec.inputs, tuple(blocks), spec.outputs)


def said(value: Any) -> str:
    """A value of an argument as a person would write it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
