"""Changes of which blocks there are: insert, remove, replace, swap.

Each draws one possibility and may return a network whose shapes do not fit, or None when it finds nothing to
do; the caller checks and draws again.
"""

from collections.abc import Mapping

import numpy as np

from pomona.find.search import edits
from pomona.find.search.mutations.change import Change
from pomona.find.search.palette import Palette, name_of, pick
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec

EVEN = 0.5
EXTENDED_SHARE = 0.7


def insert(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A block more, which at first computes the identity where it can."""
    drawn = _drawn(spec, known, palette, generator)
    if drawn is None:
        return None
    source, block = drawn
    # an input has too few channels for a block that keeps them
    gated = None if source in spec.inputs else palette.gated(block, known[source])
    block = gated or block
    return Change(edits.insert_after(spec, source, [block]), f"inserted {name_of(block)} after {source}")


def insert_bare(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A block more, without a gate: for networks that are made from nothing."""
    drawn = _drawn(spec, known, palette, generator)
    if drawn is None:
        return None
    source, block = drawn
    return Change(edits.insert_after(spec, source, [block]), f"inserted {name_of(block)} after {source}")


def remove(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A block less."""
    block = pick([b for b in spec.blocks if palette.role(b) in ("body", "join")], generator)
    if block is None:
        return None
    kept = pick(block.sources, generator)
    return Change(edits.remove(spec, block.id, kept), f"removed {block.id} ({name_of(block)})")


def replace(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """Another kind of block in the place of one; it keeps the width as often as not."""
    block = pick([b for b in spec.blocks if palette.role(b) in ("body", "adapter", "stem")], generator)
    if block is None:
        return None
    role = palette.role(block)
    kind = palette.draw_kind(known[block.sources[0]], generator, role=role, but=block.block)
    if kind is None:
        return None
    args = palette.draw(kind, generator)
    if "width" in args and generator.random() < EVEN:
        args["width"] = known[block.id].width
    new = Block(edits.new_id(spec, kind), kind, args, block.sources)
    sentence = f"replaced {block.id} ({name_of(block)}) by {name_of(new)}"
    return Change(edits.replace_block(spec, block.id, new), sentence)


def swap(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """Two neighbours of a chain in each other's place."""
    bodies = {block.id: block for block in spec.blocks if palette.role(block) == "body"}
    lower = pick(
        [
            block
            for block in bodies.values()
            if block.sources[0] in bodies and len(edits.readers(spec, block.sources[0])) == 1
        ],
        generator,
    )
    if lower is None:
        return None
    upper = bodies[lower.sources[0]]
    sentence = f"swapped {upper.id} ({name_of(upper)}) and {lower.id} ({name_of(lower)})"
    return Change(edits.swap_with_source(spec, lower.id), sentence)


def _drawn(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> tuple[str, Block] | None:
    """A new block, and what it reads: an input or any block but a head, mostly one with space or time."""
    inside = [block.id for block in spec.blocks if palette.role(block) != "head"]
    places = [place for place in (*spec.inputs, *inside) if palette.kinds_for(known[place])]
    extended = [place for place in places if known[place].kind != "vector"]
    source = pick(extended if extended and generator.random() < EXTENDED_SHARE else places, generator)
    if source is None:
        return None
    kind = palette.draw_kind(known[source], generator)
    assert kind is not None
    return source, Block(edits.new_id(spec, kind), kind, palette.draw(kind, generator), (source,))
