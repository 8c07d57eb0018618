"""A method's changes to a fit do what they say, in a single fit and in a population alike."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pomona.fit.extension import Extension
from pomona.fit.loop import fit
from pomona.fit.members import fit_population
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.default import default_spec
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task

SHORT = FitSettings(steps=12, keep="last", mixup=0.2)


class Scaled(nn.Module):
    """A network whose heads are multiplied by a weight of its own."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, inputs):
        heads = self.network(inputs)
        return {name: self.factor * head for name, head in heads.items()} | {"penalty": self.factor**2}


@pytest.fixture(scope="module")
def iris():
    return load_task("iris")


def smooth(task):
    """A network without kinks and dropout, where rounding stays rounding."""
    body = Block("body", "dense", {"width": 16, "activation": "gelu"}, tuple(task.inputs))
    head = Block("head", "head", {"shape": (3,)}, ("body",))
    return Spec(task.inputs, (body, head), {next(iter(task.targets)): "head"})


def objective(heads, batch, loss, share):
    return loss(heads) + (1 - share) * heads["penalty"]


def test_an_objective_that_is_the_tasks_own_loss_changes_nothing(iris):
    usual = fit(iris, default_spec(iris), SHORT)
    same = Extension(objective=lambda heads, batch, loss, share: loss(heads))
    extended = fit(iris, default_spec(iris), SHORT, extension=same)
    assert all(torch.equal(usual.state[name], extended.state[name]) for name in usual.state)


def test_a_transformed_network_is_what_is_trained_and_kept(iris):
    extension = Extension(transform=lambda network, seed: Scaled(network), objective=objective, key="scaled")
    result = fit(iris, default_spec(iris), SHORT, extension=extension)
    assert result.state["factor"] < 1.0
    assert all(name == "factor" or name.startswith("network.") for name in result.state)


def test_members_are_what_single_fits_are(iris):
    extension = Extension(transform=lambda network, seed: Scaled(network), objective=objective, key="scaled")
    settings = replace(SHORT, precision="float64", steps=4)
    spec = smooth(iris)
    together = fit_population(iris, spec, settings, [3, 4], extension=extension, how="vmap")
    for seed, member in zip([3, 4], together, strict=True):
        with temporary_run(seed=seed) as run:
            alone = fit(iris, spec, settings, run=run, extension=extension)
        for name, tensor in alone.state.items():
            torch.testing.assert_close(member.state[name], tensor, rtol=1e-9, atol=1e-9)


def test_a_watch_sees_every_evaluation_and_can_end_a_fit(iris):
    seen = []

    def watch(step, network, found):
        seen.append((step, found.values["accuracy"]))
        return "seen enough" if len(seen) == 2 else ""

    settings = FitSettings(epochs=5, evaluate_every=1)
    result = fit(iris, default_spec(iris), settings, extension=Extension(watch=watch))
    assert result.stopped == "seen enough"
    assert len(result.history) == 2
    assert [entry["step"] for entry in result.history] == [step for step, _ in seen]


def test_an_objective_needs_whole_batches(iris):
    with pytest.raises(SettingError, match="accumulate"):
        fit(iris, default_spec(iris), replace(SHORT, accumulate=2), extension=Extension(objective=objective))
