"""Deep ensembles (Lakshminarayanan et al. 2017): networks that differ in nothing but the seed."""

from collections.abc import Sequence

import torch
from torch import nn

from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Raw, RawHeads, answer, fitted
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train_members
from pomona.tasks.task import Task

DEFAULTS = {"members": 4}
SPACE = Space({})


def deep_ensemble(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """`members` networks fitted together; the mean of their probabilities, the mixture of their values."""
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    trained = train_members(task, spec, settings.fit, own["members"], run=run, name=name)
    say = answer(task, trained[0].network, heads_in_turn([one.network for one in trained], target))
    return fitted(trained, spec, say, settings)


def heads_in_turn(networks: Sequence[nn.Module], target: str) -> RawHeads:
    """The raw heads of one network after another."""

    def raw_heads(inputs: Tensors) -> Raw:
        return Raw(torch.stack([network(inputs)[target] for network in networks]))

    return raw_heads
