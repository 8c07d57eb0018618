"""The signal at every point of a network, and with it whether the network is possible."""

from collections.abc import Mapping

from pomona.foundation.errors import InputError, SpecError, unknown_name
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.infer import infer
from pomona.networks.signal import Signal, signal_of
from pomona.networks.spec import Block, Spec


def signals(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> dict[str, Signal]:
    """Id of a block or name of an input → its signal. Raises SpecError, naming the block, for an impossible network."""
    known = {name: signal_of(feature) for name, feature in spec.inputs.items()}
    for block in spec.blocks:
        known[block.id] = signal_after(block, tuple(known[source] for source in block.sources), blocks=blocks)
    return known


def signal_after(
    block: Block, sources: tuple[Signal, ...], *, blocks: Mapping[str, BlockKind] = BLOCKS
) -> Signal:
    """The signal that leaves `block` when it reads `sources`. Raises SpecError, naming the block."""
    try:
        if block.block not in blocks:
            raise unknown_name("block", block.block, blocks)
        return infer(blocks[block.block], sources, block.args, blocks)
    except InputError as error:
        raise SpecError(f"block {block.id!r} ({block.block}): {error}") from error
