"""From a Spec to a module with its first weights."""

from collections.abc import Mapping

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.network import Network
from pomona.networks.spec import Spec
from pomona.nn.start import initialise


def build(spec: Spec, seed: int, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> Network:
    """The network that `spec` describes. Raises SpecError, naming the block, when there is no such network.

    Every weight comes from a stream of its own, keyed by block id and name: equal seeds give equal weights,
    and a block more or less changes nobody else's. The global generator is as it was.
    """
    network = Network(spec, blocks, seed)
    for block_id, module in network.blocks.items():
        initialise(module, seed, block_id)
    return network
