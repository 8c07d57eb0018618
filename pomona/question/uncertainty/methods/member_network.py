"""One network whose weights differ by member: every member answers, in training and afterwards."""

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from pomona.fit.extension import TaskLoss
from pomona.fit.objectives import Tensors
from pomona.fit.population import each
from pomona.foundation.randomness import stream_seed
from pomona.question.uncertainty.methods.answering import Raw, RawHeads

NOT_SIDE_BY_SIDE = (nn.LSTM, nn.GRU, nn.BatchNorm1d, nn.BatchNorm2d)
"""Leaves for which torch.func.vmap has no rule, or whose statistics members would overwrite."""

DIVERGENCE = "divergence"
"""The head that holds how far the law of the weights is from its prior, in nats."""


class Law(Protocol):
    """A module that gives every member its weights."""

    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights that differ by member, (member, *shape) each, from those that all share."""
        ...

    def divergence(self, weights: Mapping[str, Tensor]) -> Tensor | None:
        """How far it is from its prior, in nats; None without a prior."""
        ...


class MemberNetwork(nn.Module):
    """The heads of all members of a network, and their mean as the head of the target.

    The mean of classes is one of probabilities, as a logarithm: its softmax is the mean.
    """

    def __init__(self, network: nn.Module, law: nn.Module, target: str, kind: str):
        super().__init__()
        self.network = network
        self.law = law
        self.target = target
        self.kind = kind

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        shared = dict(self.network.named_parameters())
        raw = heads_of_members(self.network, self.law(shared), inputs, self.target)
        heads = {self.target: pooled(raw, self.kind), members_key(self.target): raw}
        divergence = self.law.divergence(shared) if self.training else None  # type: ignore[operator]
        return heads if divergence is None else {**heads, DIVERGENCE: divergence}


def heads_of_members(
    network: nn.Module, weights: Mapping[str, Tensor], inputs: Mapping[str, Tensor], target: str
) -> Float[Tensor, "member batch ..."]:
    """The raw heads of a network with the weights of each member in turn or, where vmap can, side by side."""
    # without gradients group norm has no rule for vmap
    in_turn = not torch.is_grad_enabled() or any(
        isinstance(part, NOT_SIDE_BY_SIDE) for part in network.modules()
    )

    def head(own: dict[str, Tensor]) -> Tensor:
        return functional_call(network, own, (inputs,))[target]

    return each(head, dict(weights), how="loop" if in_turn else "vmap")


def drawn_heads(network: MemberNetwork, num_samples: int, *, seed: int, name: str) -> RawHeads:
    """The raw heads of `num_samples` draws of every member's weights, always the same draws."""

    def raw_heads(inputs: Tensors) -> Raw:
        weights = dict(network.network.named_parameters())
        found = []
        for sample in range(num_samples):
            generator = torch.Generator().manual_seed(stream_seed(seed, "weights", f"{name}/{sample}"))
            drawn = network.law.drawn(weights, generator)  # type: ignore[operator]
            found.append(heads_of_members(network.network, drawn, inputs, network.target))
        return Raw(torch.cat(found))

    return raw_heads


def pooled(raw: Float[Tensor, "member batch ..."], kind: str) -> Float[Tensor, "batch ..."]:
    """The raw head that means what members say on average."""
    if kind == "classify":
        return raw.log_softmax(-1).logsumexp(0) - torch.log(torch.tensor(float(len(raw)), dtype=raw.dtype))
    return raw.mean(0)


def members_key(target: str) -> str:
    """The head that holds the raw heads of all members."""
    return f"{target}.members"


def members_loss(
    target: str, divergence_weight: Callable[[float], float] | None = None
) -> Callable[[Tensors, Tensors, TaskLoss, float], Tensor]:
    """The mean over members of the task's own loss, plus the weighted divergence from the prior.

    The weight depends on the share of steps done, 1 / number of training examples at its full height.
    """

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        members = heads[members_key(target)].unbind(0)
        value = torch.stack([loss({target: member}) for member in members]).mean()
        if divergence_weight is None:
            return value
        return value + divergence_weight(share) * heads[DIVERGENCE]

    return objective
