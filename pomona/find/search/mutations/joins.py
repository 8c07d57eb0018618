"""Changes of how blocks are wired: a skip connection, a parallel branch."""

from collections.abc import Mapping

import numpy as np

from pomona.find.search import edits
from pomona.find.search.mutations.change import Change
from pomona.find.search.palette import Palette, name_of, pick
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec


def skip(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """What came out of an earlier block joins what comes out of a later one."""
    places = [block.id for block in spec.blocks if palette.role(block) != "head"]
    pairs = [
        (earlier, later)
        for position, later in enumerate(places)
        for earlier in places[:position]
        if known[earlier].kind == known[later].kind and earlier not in _joined(spec, later)
    ]
    pair = pick(pairs, generator)
    if pair is None:
        return None
    earlier, later = pair
    join = _join(spec, known, (later, earlier), palette, generator)
    if join is None:
        return None
    return Change(
        edits.insert_after(spec, later, [join]), f"added a skip from {earlier} to {later} ({join.block})"
    )


def branch(
    spec: Spec, known: Mapping[str, Signal], palette: Palette, generator: np.random.Generator
) -> Change | None:
    """A new block beside another one, both joined."""
    beside = pick([block for block in spec.blocks if palette.role(block) == "body"], generator)
    if beside is None:
        return None
    source = beside.sources[0]
    kind = palette.draw_kind(known[source], generator)
    if kind is None:
        return None
    args = palette.draw(kind, generator)
    if "width" in args:
        args["width"] = known[beside.id].width
    new = Block(edits.new_id(spec, kind), kind, args, (source,))
    join = _join(spec, known, (beside.id, new.id), palette, generator)
    if join is None:
        return None
    return Change(
        edits.insert_after(spec, beside.id, [new, join]),
        f"added {name_of(new)} beside {beside.id} ({join.block})",
    )


def _join(
    spec: Spec,
    known: Mapping[str, Signal],
    sources: tuple[str, str],
    palette: Palette,
    generator: np.random.Generator,
) -> Block | None:
    kind = pick(palette.kinds_for(known[sources[0]], "join"), generator)
    if kind is None:
        return None
    return Block(edits.new_id(spec, kind), kind, palette.draw(kind, generator), sources)


def _joined(spec: Spec, block_id: str) -> set[str]:
    """What a block already reads, and what joins its output already."""
    beside = [block.sources for block in edits.readers(spec, block_id) if len(block.sources) > 1]
    return {*spec.block(block_id).sources, *(source for sources in beside for source in sources)}
