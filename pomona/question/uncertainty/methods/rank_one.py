"""Rank-1 Bayesian networks (Dusenberry et al. 2020): members' own vectors are drawn, matrices are not."""

import functools

from torch import nn

from pomona.fit.extension import Extension
from pomona.fit.trials.space import Choice, Float, Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.rank_one_posterior import Law, RankOnePosterior
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.member_network import MemberNetwork, drawn_heads, members_loss
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.prior import annealed
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"members": 4, "random_sign": 0.5, "scale": 0.03, "samples": 4}
CAUCHY_DEFAULTS = {**DEFAULTS, "scale": 0.001}
SPACE = Space({"random_sign": Choice((-0.5, -0.25, 0.5, 0.75)), "scale": Float(3e-4, 0.1, log=True)})


def rank_one(
    task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str, law: Law = "normal"
) -> Fitted:
    """`members` networks with `samples` draws each; the divergence counts in full from 80 % of the steps.

    `scale` is that of each vector's law at the start; see `RankOne` for `random_sign`.
    """
    defaults = DEFAULTS if law == "normal" else CAUCHY_DEFAULTS
    target, own = only_target(task).name, settings.chosen(defaults)

    def transform(network: nn.Module, seed: int) -> nn.Module:
        posterior = RankOnePosterior(
            network, own["members"], own["random_sign"], seed, law=law, scale=own["scale"]
        )
        return MemberNetwork(network, posterior, target, task.kind)

    objective = members_loss(target, annealed(task, settings.fit))
    extension = Extension(transform, objective, key=f"rank-1-{law} {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)
    assert isinstance(trained.network, MemberNetwork)
    raw_heads = drawn_heads(trained.network, own["samples"], seed=run.seed, name=name)
    passes = own["members"] * own["samples"]
    say = answer(task, trained.network, raw_heads)
    return fitted([trained], spec, say, settings, passes=passes)


rank_one_normal = functools.partial(rank_one, law="normal")
rank_one_cauchy = functools.partial(rank_one, law="cauchy")
