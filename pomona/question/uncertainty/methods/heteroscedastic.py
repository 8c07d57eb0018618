"""Noise that depends on the input: of logits (Collier et al. 2021), of values (Nix and Weigend 1994)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pomona.fit.draws import Draws, own_dropout
from pomona.fit.extension import Extension, TaskLoss
from pomona.fit.objectives import TargetLoss, Tensors, weighted_mean
from pomona.fit.trials.space import Float, Int, Space
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.heteroscedastic_head import NoisyLogits, NormalValues
from pomona.question.uncertainty.methods.answering import Answer, Raw, RawHeads, fitted
from pomona.question.uncertainty.methods.head_of import head_of, replace_head
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.part_heads import TwoPartHeads
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import Trained, train, train_members
from pomona.tasks.task import Task

DEFAULTS = {"factors": 6, "temperature": 1.3, "train_samples": 100, "samples": 1000}
ENSEMBLE_DEFAULTS = {**DEFAULTS, "members": 4}
SPACE = Space({"factors": Int(1, 15), "temperature": Float(0.2, 3.0, log=True)})


def heteroscedastic(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A network that tells the noise: a variance of each value, or a covariance of logits.

    Logits have `factors` low-rank factors and a diagonal; probabilities are means over `train_samples` draws
    in training and `samples` draws afterwards, at `temperature`. None of these matters for values.
    """
    own = settings.chosen(DEFAULTS)
    extension = noisy(task, own)
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)
    return _fitted(task, spec, settings, [trained], own, Draws(run.seed, name))


def heteroscedastic_ensemble(
    task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str
) -> Fitted:
    """`members` of what `heteroscedastic` fits, from unlike seeds; the mean of their laws."""
    own = settings.chosen(ENSEMBLE_DEFAULTS)
    trained = train_members(
        task, spec, settings.fit, own["members"], run=run, name=name, extension=noisy(task, own)
    )
    return _fitted(task, spec, settings, trained, own, Draws(run.seed, name))


def noisy(task: Task, own: dict[str, float]) -> Extension:
    """Gives the target a head that tells the noise, and values the loss that goes with it."""
    target = only_target(task).name

    def transform(network: nn.Module, seed: int) -> nn.Module:
        _, head = head_of(network, target)
        width = head.linear.in_features
        if task.kind == "regress":
            new = NormalValues(width, head.shape)
        else:
            new = NoisyLogits(
                width, head.shape[0], num_factors=int(own["factors"]), temperature=own["temperature"]
            )
            new.num_samples = int(own["train_samples"])
        new.start(torch.Generator().manual_seed(stream_seed(seed, "noisy head")))
        replace_head(network, target, new)
        return TwoPartHeads(network, target, f"{target}.log_variance") if task.kind == "regress" else network

    objective = normal_loss(target) if task.kind == "regress" else None
    return Extension(transform, objective, key=f"heteroscedastic {own}")


def normal_loss(target: str) -> Callable[[Tensors, Tensors, TaskLoss, float], Tensor]:
    """Nats that the truth costs under a normal law, less the constant log √(2π)."""

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        mean, logarithm = heads[target], heads[f"{target}.log_variance"]
        costs = 0.5 * (logarithm + (batch[target] - mean) ** 2 * torch.exp(-logarithm))
        return weighted_mean(costs, TargetLoss(target, "regress", "squared-error").weights(batch))

    return objective


def _fitted(
    task: Task,
    spec: Spec,
    settings: MethodSettings,
    trained: Sequence[Trained],
    own: dict[str, float],
    draws: Draws,
) -> Fitted:
    for member in trained:
        for part in member.network.modules():
            if isinstance(part, NoisyLogits):
                part.num_samples = int(own["samples"])
    raw_heads = _raw_heads(task, trained, draws)
    return fitted(trained, spec, Answer(task, trained[0].network, raw_heads), settings)


def _raw_heads(task: Task, trained: Sequence[Trained], draws: Draws) -> RawHeads:
    target = only_target(task).name

    def raw_heads(inputs: Tensors) -> Raw:
        with own_dropout(draws, "cpu"):
            heads = [member.network(inputs) for member in trained]
        means = torch.stack([head[target] for head in heads])
        if task.kind == "classify":
            return Raw(means)
        return Raw(means, torch.stack([head[f"{target}.log_variance"] for head in heads]).exp())

    return raw_heads
