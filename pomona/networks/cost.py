"""What a network costs, without building it."""

from collections.abc import Mapping

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.infer import infer_network
from pomona.networks.spec import Spec


def parameters(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> int:
    """The number of weights. Raises SpecError, naming the block, for an impossible network."""
    return sum(inferred.parameters for inferred in infer_network(spec, blocks).values())


def flops(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> int:
    """Floating-point operations of one example forward; a multiply-add counts as two.

    Matrix products, convolutions, recurrences and attention count; what works value by value does not.
    Raises SpecError, naming the block, for an impossible network.
    """
    return sum(inferred.flops for inferred in infer_network(spec, blocks).values())


def recurrent_steps(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> int:
    """How many steps the recurrences of a network have to do one after another, forward.

    What they take is time that no faster arithmetic saves. Raises SpecError, naming the block, for an
    impossible network.
    """
    return sum(inferred.recurrent_steps for inferred in infer_network(spec, blocks).values())
