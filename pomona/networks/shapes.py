"""The signal at every point of a network, and with it whether the network is possible."""

from collections.abc import Mapping

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.infer import infer_block, infer_network
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec


def signals(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> dict[str, Signal]:
    """Block id or input → its signal. Raises SpecError, naming the block, for an impossible network."""
    return {name: inferred.signal for name, inferred in infer_network(spec, blocks).items()}


def signal_after(
    block: Block, sources: tuple[Signal, ...], *, blocks: Mapping[str, BlockKind] = BLOCKS
) -> Signal:
    """The signal that leaves `block` when it reads `sources`. Raises SpecError, naming the block."""
    return infer_block(block, sources, blocks).signal
