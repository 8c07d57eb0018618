"""Many inputs, many outputs (Havasi et al. 2021): one network that holds several."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pomona.fit.extension import Extension, TaskLoss
from pomona.fit.objectives import TargetLoss, Tensors, weighted_mean
from pomona.fit.trials.space import Float, Int, Space
from pomona.foundation.errors import SpecError
from pomona.foundation.run import Run
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.network import Network
from pomona.networks.shapes import signals
from pomona.networks.spec import Block, Spec
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted
from pomona.question.uncertainty.methods.member_network import members_key, pooled
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.feature import mask_key
from pomona.tasks.task import Task

DEFAULTS = {"members": 3, "repetitions": 2, "same_input": 0.5}
SPACE = Space({"members": Int(2, 4), "same_input": Float(0.0, 1.0)})

SHOWN = "shown"
"""The head that says which example each member was shown at each place."""


def mimo(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """One network with `members` inputs side by side and as many heads; answers see one example everywhere.

    In training members see unlike examples but for the share `same_input` of them, and every example is shown
    `repetitions` times a step. The original's share is 0, for networks with more room than small ones have.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    many = with_copies(spec, target, own["members"])

    def transform(network: nn.Module, seed: int) -> nn.Module:
        copied = build(many, seed)
        return ManyInputs(copied, target, task.kind, own)

    extension = Extension(transform, shown_loss(target, task.kind), key=f"mimo {own}")
    settings_once = replace(settings.fit, mixup=0.0, cutmix=0.0)
    trained = train(task, spec, settings_once, run=run, name=name, extension=extension)

    def raw_heads(inputs: Tensors) -> Raw:
        return Raw(trained.network(inputs)[members_key(target)])

    return fitted([trained], many, answer(task, trained.network, raw_heads), settings)


class ManyInputs(nn.Module):
    """Shows a network of copied inputs a batch, in training shuffled for every member."""

    def __init__(self, network: Network, target: str, kind: str, own: Mapping[str, float]):
        super().__init__()
        self.network = network
        self.target = target
        self.kind = kind
        self.num_members = int(own["members"])
        self.repetitions = int(own["repetitions"])
        self.same_input = own["same_input"]

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        names = [name for name in inputs if self._is_input(name)]
        size, device = len(inputs[names[0]]), inputs[names[0]].device
        if self.training:
            shown = self._shuffled(size, device)
        else:
            shown = torch.arange(size, device=device).expand(self.num_members, -1)
        seen = {}
        for name in names:
            copies = [inputs[name][one] for one in shown]
            if name.endswith(".mask"):
                # side by side, a step counts as long as it is real for any member
                copies = [torch.stack(copies).any(0)] * self.num_members
            seen |= {copy_name(name, member): one for member, one in enumerate(copies)}
        heads = self.network(seen)
        raw = torch.stack([heads[copy_name(self.target, member)] for member in range(self.num_members)])
        found = {self.target: pooled(raw, self.kind), members_key(self.target): raw}
        return {**found, SHOWN: shown} if self.training else found

    def _is_input(self, name: str) -> bool:
        return copy_name(name.removesuffix(".mask"), 0) in self.network.spec.inputs

    def _shuffled(self, size: int, device: torch.device) -> Tensor:
        """(member, place) → position in the batch."""
        places = torch.arange(size, device=device).repeat(self.repetitions)
        first = places[torch.rand(len(places), device=device).argsort()]
        others = torch.rand(self.num_members, len(places), device=device).argsort(1)
        is_same = torch.rand(len(places), device=device) < self.same_input
        return torch.where(is_same, first, places[others])


def shown_loss(target: str, kind: str) -> Callable[[Tensors, Tensors, TaskLoss, float], Tensor]:
    """The mean over members of the loss on the examples that each was shown."""
    usual = {"classify": "cross-entropy", "regress": "squared-error"}

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        one = TargetLoss(target, kind, usual[kind])
        costs = []
        for head, shown in zip(heads[members_key(target)], heads[SHOWN].long(), strict=True):
            seen = {
                name: batch[name][shown] for name in (target, mask_key(target), "weight") if name in batch
            }
            costs.append(weighted_mean(one.elements(head, seen[target]), one.weights(seen)))
        return torch.stack(costs).mean()

    return objective


def with_copies(spec: Spec, target: str, num_members: int) -> Spec:
    """The network with `num_members` inputs in the place of each, joined as soon as they have features.

    What only tokens or waveforms can be read by is copied for every member. The head is copied too.
    """
    known = signals(spec)
    joined = ("image", "series", "vector")
    head = spec.block(spec.outputs[target])
    if BLOCKS[head.block].role != "head":
        raise SpecError(f"this method needs a network that ends in a head block, got {head.block}")
    inputs = {
        copy_name(name, member): replace(feature, name=copy_name(name, member))
        for name, feature in spec.inputs.items()
        for member in range(num_members)
    }
    blocks: list[Block] = []
    split = {name for name in spec.inputs if known[name].kind not in joined}
    now_called = {}
    for name in spec.inputs:
        if name not in split:
            now_called[name] = _join(name, num_members, blocks)
    for block in spec.blocks:
        if block is head:
            for member in range(num_members):
                sources = tuple(now_called.get(source, source) for source in block.sources)
                blocks.append(replace(block, id=copy_name(block.id, member), sources=sources))
        elif split & set(block.sources):
            for member in range(num_members):
                sources = tuple(copy_name(source, member) for source in block.sources)
                blocks.append(replace(block, id=copy_name(block.id, member), sources=sources))
            if known[block.id].kind in joined:
                now_called[block.id] = _join(block.id, num_members, blocks)
            else:
                split.add(block.id)
        else:
            sources = tuple(now_called.get(source, source) for source in block.sources)
            blocks.append(replace(block, sources=sources))
    outputs = {copy_name(target, member): copy_name(head.id, member) for member in range(num_members)}
    return Spec(inputs, tuple(blocks), outputs)


def copy_name(name: str, member: int) -> str:
    """What a member's copy of an input, block or head is called; a mask's key stays one."""
    if name.endswith(".mask"):
        return mask_key(copy_name(name.removesuffix(".mask"), member))
    return f"{name}-{member}"


def _join(name: str, num_members: int, blocks: list[Block]) -> str:
    sources = tuple(copy_name(name, member) for member in range(num_members))
    blocks.append(Block(f"{name}-all", "concatenate", {}, sources))
    return f"{name}-all"
