"""What linear and convolutional leaves read, and how a head depends on what they give, example by example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

KRONECKER_LEAVES = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True, eq=False)
class LeafCall:
    """One use of a leaf on a batch; a convolution is a linear layer at every place."""

    name: str
    leaf: nn.Module
    read: Float[Tensor, "batch place input"]
    given: Tensor
    """What the leaf gave, as part of the graph of gradients."""

    def gradient(self, gradient: Tensor) -> Float[Tensor, "batch place output"]:
        """A gradient with respect to `given`, place by place."""
        return flat_places(self.leaf, gradient)


def leaf_calls(
    network: nn.Module, inputs: Mapping[str, Tensor], target: str
) -> tuple[Float[Tensor, "batch output"], list[LeafCall]]:
    """The raw head of a target, flat, and every use of a leaf on the way to it.

    Convolutions in groups are left out, and so are recurrent leaves, embeddings and norms.
    """
    calls: list[LeafCall] = []
    handles = []
    for path, part in network.named_modules():
        if type(part) in KRONECKER_LEAVES and getattr(part, "groups", 1) == 1:

            def seen(leaf: nn.Module, args: tuple, given: Tensor, path: str = path) -> None:
                calls.append(LeafCall(path, leaf, unfolded(leaf, args[0].detach()), given))

            handles.append(part.register_forward_hook(seen))
    try:
        with torch.enable_grad():
            head = network(inputs)[target]
            flat = head.reshape(head.shape[0], -1)
    finally:
        for handle in handles:
            handle.remove()
    return flat, calls


def output_gradients(
    head: Float[Tensor, "batch output"], column: Float[Tensor, "batch output"], calls: list[LeafCall]
) -> list[Float[Tensor, "batch place output"] | None]:
    """For every call the gradient of the products of head and column; None where the head does not depend."""
    found = torch.autograd.grad(
        head, [call.given for call in calls], column, retain_graph=True, allow_unused=True
    )
    return [None if one is None else call.gradient(one) for call, one in zip(calls, found, strict=True)]


def unfolded(leaf: nn.Module, x: Tensor) -> Float[Tensor, "batch place input"]:
    """What each place of a leaf reads."""
    if isinstance(leaf, nn.Linear):
        return x.reshape(x.shape[0], -1, x.shape[-1])
    assert isinstance(leaf, nn.Conv1d | nn.Conv2d)
    image = x if x.ndim == 4 else x[:, :, None]
    padding = leaf.padding
    assert not isinstance(padding, str)
    sizes = [(1, *s) if len(s) == 1 else s for s in (leaf.kernel_size, leaf.dilation, leaf.stride)]
    around = (0, *padding) if len(padding) == 1 else padding
    return F.unfold(image, sizes[0], sizes[1], around, sizes[2]).transpose(1, 2)


def flat_places(leaf: nn.Module, given: Tensor) -> Float[Tensor, "batch place output"]:
    """What a leaf gave, or its gradient, place by place."""
    if isinstance(leaf, nn.Linear):
        return given.reshape(given.shape[0], -1, given.shape[-1])
    return given.flatten(2).transpose(1, 2)


def num_places(call: LeafCall) -> int:
    """How many places of how many examples a call has."""
    return math.prod(call.read.shape[:2])
