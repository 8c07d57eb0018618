"""From raw heads of one or many members to what a method says, and how a method's result is put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, eq=False)
class Raw:
    """Raw heads of the one target."""

    heads: Float[Tensor, "member batch ..."]
    variances: Float[Tensor, "member batch ..."] | None = None
    """Of values, as far as a member itself tells; of the scaled value, as heads are."""
    scores: Mapping[str, Float[Tensor, " batch"]] = field(default_factory=dict)
    """Of classes, beside those that all methods have: the higher, the less sure."""


RawHeads = Callable[[Tensors], Raw]
"""From inputs to the raw heads of every member."""

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
        heads = raw.heads.cpu().double().numpy()
        members = np.stack([prediction(self.task.kind, head, feature) for head in heads])
        if self.task.kind == "regress":
            return values_of_members(members, self._deviations(raw, members.shape))
        scores = {name: score.cpu().double().numpy() for name, score in raw.scores.items()}
        if len(members) == 1:
            return said_of(members[0], scores=scores)
        return said_of_members(members, scores=scores)

    def _deviations(self, raw: Raw, shape: tuple[int, ...]) -> Float[np.ndarray, "member batch ..."] | None:
        """What each member does not know and what is noise, in the unit of the target."""
        if raw.variances is None and self.noise is None:
            return None
        variances = np.zeros(shape)
        if raw.variances is not None:
            variances += raw.variances.cpu().double().numpy() * only_target(self.task).scale ** 2
        return np.sqrt(variances if self.noise is None else variances + self.noise**2)


def unknown_share(logits: Float[Tensor, "batch class"]) -> Float[Tensor, " batch"]:
    """The score "dempster-shafer" of logits."""
    return torch.from_numpy(dempster_shafer(logits.cpu().numpy()))


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
