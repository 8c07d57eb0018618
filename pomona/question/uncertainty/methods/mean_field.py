"""Mean-field variational inference (Blundell et al. 2015): every weight has a normal law of its own."""

from torch import nn

from pomona.fit.extension import Extension
from pomona.fit.trials.space import Float, Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.mean_field import MeanField
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.member_network import MemberNetwork, drawn_heads, members_loss
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.prior import annealed
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"prior": 1.0, "start": 0.05, "strength": 0.05, "samples": 20}
SPACE = Space({"start": Float(0.01, 0.3, log=True), "strength": Float(1e-3, 1.0, log=True)})


def mean_field(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The mean of `samples` draws; a step draws the weights once. See `MeanField` for `prior` and `start`.

    `strength` is how much the divergence from the prior counts. At 1, which Bayes's rule asks for, a network
    with many more weights than examples learns next to nothing.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)

    def transform(network: nn.Module, seed: int) -> nn.Module:
        law = MeanField(network, 1, prior=own["prior"], start=own["start"])
        return MemberNetwork(network, law, target, task.kind)

    objective = members_loss(target, annealed(task, settings.fit, own["strength"]))
    extension = Extension(transform, objective, key=f"mean-field {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)
    assert isinstance(trained.network, MemberNetwork)
    raw_heads = drawn_heads(trained.network, own["samples"], seed=run.seed, name=name)
    say = answer(task, trained.network, raw_heads)
    return fitted([trained], spec, say, settings, passes=own["samples"])
