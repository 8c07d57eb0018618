"""Edits of a network's graph: each gives a new Spec; whether its shapes fit is for `signals` to say."""

from collections.abc import Sequence
from dataclasses import replace

from pomona.networks.spec import Block, Spec, in_reading_order


def insert_after(spec: Spec, source: str, added: Sequence[Block]) -> Spec:
    """`added` behind `source`: whatever read `source` reads the last of them instead."""
    last = added[-1].id
    own = {block.id for block in added}
    moved = [
        block if block.id in own else _reading(block, {source: last}) for block in [*spec.blocks, *added]
    ]
    outputs = {head: last if block_id == source else block_id for head, block_id in spec.outputs.items()}
    return Spec(spec.inputs, in_reading_order(moved, spec.inputs), outputs)


def remove(spec: Spec, block_id: str, kept_source: str) -> Spec:
    """Without a block: what read it reads `kept_source`, one of its sources. Blocks then unread go too."""
    left = [_reading(block, {block_id: kept_source}) for block in spec.blocks if block.id != block_id]
    outputs = {head: kept_source if name == block_id else name for head, name in spec.outputs.items()}
    return without_dead(Spec(spec.inputs, tuple(left), outputs))


def replace_block(spec: Spec, block_id: str, new: Block) -> Spec:
    """With `new`, which may have another id, in the place of a block."""
    blocks = tuple(
        new if block.id == block_id else _reading(block, {block_id: new.id}) for block in spec.blocks
    )
    outputs = {head: new.id if name == block_id else name for head, name in spec.outputs.items()}
    return Spec(spec.inputs, blocks, outputs)


def swap_with_source(spec: Spec, block_id: str) -> Spec:
    """With a block and its first source in each other's place; the source must be a block of one source."""
    lower = spec.block(block_id)
    upper = spec.block(lower.sources[0])
    places = {lower.id: upper.id, upper.id: lower.id}
    moved = []
    for block in spec.blocks:
        if block.id == lower.id:
            moved.append(replace(lower, sources=upper.sources))
        elif block.id == upper.id:
            moved.append(replace(upper, sources=(lower.id,)))
        else:
            moved.append(_reading(block, places))
    outputs = {head: places.get(name, name) for head, name in spec.outputs.items()}
    return Spec(spec.inputs, in_reading_order(moved, spec.inputs), outputs)


def without_dead(spec: Spec) -> Spec:
    """Without the blocks that no head depends on."""
    alive = set(spec.outputs.values())
    for block in reversed(spec.blocks):
        if block.id in alive:
            alive.update(block.sources)
    return Spec(spec.inputs, tuple(block for block in spec.blocks if block.id in alive), spec.outputs)


def readers(spec: Spec, source: str) -> list[Block]:
    """The blocks that read a block or an input."""
    return [block for block in spec.blocks if source in block.sources]


def new_id(spec: Spec, name: str) -> str:
    """An id that no block has: the name and the smallest number that is free."""
    taken = set(spec.inputs) | {block.id for block in spec.blocks}
    return next(f"{name}{n}" for n in range(1, len(taken) + 2) if f"{name}{n}" not in taken)


def _reading(block: Block, renamed: dict[str, str]) -> Block:
    return replace(block, sources=tuple(renamed.get(source, source) for source in block.sources))
