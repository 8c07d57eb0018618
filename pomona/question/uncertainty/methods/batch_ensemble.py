"""BatchEnsemble (Wen et al. 2020): members share every matrix but for a product of two vectors."""

from torch import nn

from pomona.fit.extension import Extension
from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Choice, Int, Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.rank_one import RankOne
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted
from pomona.question.uncertainty.methods.member_network import MemberNetwork, members_key, members_loss
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"members": 4, "random_sign": -0.5}
SPACE = Space({"random_sign": Choice((-0.75, -0.5, -0.25, 0.5, 0.75)), "members": Int(2, 8)})


def batch_ensemble(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """`members` networks of which each sees every batch; see `RankOne` for `random_sign`.

    The mean of their losses is minimised. In the original a step also shows every example to every member.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)

    def transform(network: nn.Module, seed: int) -> nn.Module:
        law = RankOne(network, own["members"], own["random_sign"], seed)
        return MemberNetwork(network, law, target, task.kind)

    extension = Extension(transform, members_loss(target), key=f"batch-ensemble {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)

    def raw_heads(inputs: Tensors) -> Raw:
        return Raw(trained.network(inputs)[members_key(target)])

    say = answer(task, trained.network, raw_heads)
    return fitted([trained], spec, say, settings, passes=own["members"])
