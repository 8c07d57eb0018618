"""The head of a network and what it reads."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from pomona.foundation.errors import SpecError
from pomona.networks.network import Network
from pomona.nn.head import Head


def head_of(network: nn.Module, target: str) -> tuple[str, Head]:
    """The id of the block that gives a target's head, and the head.

    Raises SpecError when it is no single linear layer.
    """
    assert isinstance(network, Network)
    block_id = network.spec.outputs[target]
    head = network.blocks[block_id]
    if not isinstance(head, Head):
        kind = network.spec.block(block_id).block
        raise SpecError(f"this method needs a network that ends in a head block, got {block_id!r} ({kind})")
    return block_id, head


def replace_head(network: nn.Module, target: str, head: nn.Module) -> None:
    """Puts another module in the place of a target's head; it reads the same vector."""
    assert isinstance(network, Network)
    network.blocks[network.spec.outputs[target]] = head


def read_by(
    module: nn.Module, network: nn.Module, inputs: Mapping[str, Tensor]
) -> Float[Tensor, "batch feature"]:
    """What a module of a network reads when the network is given these inputs."""
    seen: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda part, args: seen.append(args[0]))
    try:
        network(inputs)
    finally:
        handle.remove()
    return seen[0]
