"""From raw heads of one or many members to what a method says, and how a method's result is put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.evaluate import place_of
from pomona.fit.feeds import EVALUATED_AT_ONCE, held_out, to_tensors
from pomona.fit.objectives import Tensors
from pomona.networks.cost import flops
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import Trained, num_parameters
from pomona.question.uncertainty.said import (
    Said,
    SaidValues,
    dempster_shafer,
    said_of,
    said_of_members,
    values_of_members,
)
from pomona.tasks.batch import Batch
from pomona.tasks.outputs import prediction
from pomona.tasks.source import batches
from pomona.tasks.task import Task

RawHeads = Callable[[Tensors], Float[Tensor, "member batch ..."]]
"""From inputs to the raw heads of the one target, of every member."""

LEAST_NOISE_SHARE = 0.01
"""Noise is at least this share of the squared validation errors, however far members are apart."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Says what raw heads mean; `noise` is the deviation of values around the mean of members."""

    task: Task
    network: nn.Module
    raw_heads: RawHeads
    noise: Float[np.ndarray, "..."] | None = None

    def __call__(self, batch: Batch) -> Said | SaidValues:
        feature = only_target(self.task)
        with torch.no_grad():
            raw = self.raw_heads(to_tensors(batch, self.task, place_of(self.network)))
        heads = raw.cpu().double().numpy()
        members = np.stack([prediction(self.task.kind, head, feature) for head in heads])
        if self.task.kind == "regress":
            noise = None if self.noise is None else np.broadcast_to(self.noise, members.shape)
            return values_of_members(members, noise)
        if len(members) == 1:
            return said_of(members[0], scores={"dempster-shafer": dempster_shafer(heads[0])})
        return said_of_members(members)


def answer(task: Task, network: nn.Module, raw_heads: RawHeads) -> Answer:
    """Answers by raw heads; for values the noise is what validation errors have beyond members' spread."""
    silent = Answer(task, network, raw_heads)
    return (
        silent if task.kind == "classify" else Answer(task, network, raw_heads, residual_noise(task, silent))
    )


def residual_noise(task: Task, say: Callable[[Batch], Said | SaidValues]) -> Float[np.ndarray, "..."]:
    """The deviation, for each number of a target, of validation errors less the variance said to be known."""
    target = only_target(task, ("regress",)).name
    errors, variances = [], []
    for batch in batches(held_out(task.splits["valid"], name="valid", seed=0), EVALUATED_AT_ONCE):
        said = say(batch)
        assert isinstance(said, SaidValues)
        errors.append((batch[target].astype(np.float64) - said.mean) ** 2)
        variances.append(np.zeros_like(said.mean) if said.deviation is None else said.deviation**2)
    square = np.concatenate(errors).mean(axis=0)
    return np.sqrt(np.maximum(square - np.concatenate(variances).mean(axis=0), LEAST_NOISE_SHARE * square))


def fitted(
    trained: Sequence[Trained],
    spec: Spec,
    say: Callable[[Batch], Said | SaidValues],
    settings: MethodSettings,
    *,
    passes: float = 1,
    extra: Mapping[str, Tensor] | None = None,
) -> Fitted:
    """The result of a method that asks each network `passes` times; `extra` is state beside the weights."""
    states = [one.result.state for one in trained]
    prefixes = [""] if len(states) == 1 else [f"member{index}." for index in range(len(states))]
    state = {
        f"{p}{key}": tensor for p, part in zip(prefixes, states, strict=True) for key, tensor in part.items()
    }
    return Fitted(
        say=say,
        parameters=sum(num_parameters(one.network) for one in trained),
        flops=passes * len(trained) * flops(spec),
        steps=sum(one.result.steps for one in trained),
        fit_seconds=sum(one.result.seconds for one in trained),
        state={**state, **(extra or {})},
        settings=settings,
    )
