"""Every method on every kind of network: what it says is a prediction, alike by seed, and complete."""

import importlib

import numpy as np
import pytest
import torch
from method_samples import BODIES, asked, sample, small

from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.question.uncertainty.methods import METHODS, MethodSettings
from pomona.question.uncertainty.methods.training import train_members

CASES = [
    (method, network, kind)
    for method, row in METHODS.items()
    for kind in row.kinds
    for network in (BODIES if kind == "classify" else ("dense", "convolutional"))
    # there is nothing between two tokens
    if (method, network) != ("mixup", "transformer")
]


def fitted(method: str, network: str, kind: str, seed: int = 0):
    task, spec = sample(network, kind)
    row = METHODS[method]
    with temporary_run(seed=seed) as run:
        return task, row.function(task, spec, small(row.defaults), run=run, name=method)


@pytest.mark.parametrize(("method", "network", "kind"), CASES)
def test_what_is_said_is_a_prediction(method, network, kind):
    task, found = fitted(method, network, kind)
    batch = asked(task)
    said, again = found.say(batch), found.say(batch)
    if kind == "classify":
        assert said.probabilities.shape == (8, 3)
        np.testing.assert_allclose(said.probabilities.sum(1), 1.0, rtol=1e-5)
        assert {"max-probability", "entropy"} <= set(said.scores)
        assert all(score.shape == (8,) and np.isfinite(score).all() for score in said.scores.values())
        np.testing.assert_array_equal(said.probabilities, again.probabilities)
        if said.members is not None:
            np.testing.assert_allclose(said.members.mean(0), said.probabilities)
    else:
        assert said.mean.shape == (8, 2)
        assert np.isfinite(said.mean).all()
        assert said.deviation is None or (said.deviation > 0).all()
        np.testing.assert_array_equal(said.mean, again.mean)
    assert found.parameters > 0
    assert found.flops > 0
    assert found.steps >= 2
    assert found.state


@pytest.mark.parametrize(
    "method",
    ["batch_ensemble", "rank_one", "mean_field", "mimo", "dropout_everywhere", "evidential", "quantiles"],
)
@pytest.mark.parametrize("network", ["dense", "convolutional", "transformer"])
def test_what_a_method_adds_to_a_fit_trains_as_a_population(method, network, monkeypatch):
    """Two members side by side in the place of one network; the method answers with the first."""
    module = importlib.import_module(f"pomona.question.uncertainty.methods.{method}")
    members = []

    def train_two(task, spec, settings, *, run, name, extension):
        members.extend(train_members(task, spec, settings, 2, run=run, name=name, extension=extension))
        return members[0]

    monkeypatch.setattr(module, "train", train_two)
    kind = "regress" if method == "quantiles" else "classify"
    task, spec = sample(network, kind)
    with temporary_run() as run:
        found = getattr(module, method)(task, spec, small(module.DEFAULTS), run=run, name=method)
    said = found.say(asked(task))
    assert np.isfinite(said.probabilities if kind == "classify" else said.mean).all()
    first, second = (one.result.state for one in members)
    assert any(not torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("method", METHODS)
def test_equal_seeds_say_the_same_and_others_do_not(method):
    kind = METHODS[method].kinds[0]
    said = [fitted(method, "dense", kind, seed) for seed in (0, 0, 1)]
    answers = [one.say(asked(task)) for task, one in said]
    first, same, other = [a.probabilities if kind == "classify" else a.mean for a in answers]
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_asked_for_again_in_its_run_goes_on_from_its_checkpoints(method):
    row = METHODS[method]
    task, spec = sample("dense", row.kinds[0])
    settings = small(row.defaults, checkpoint_seconds=0.0)
    with temporary_run() as run:
        said = [row.function(task, spec, settings, run=run, name="m").say(asked(task)) for _ in range(2)]
    first, again = [one.probabilities if row.kinds[0] == "classify" else one.mean for one in said]
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("method", METHODS)
def test_spaces_name_settings_that_there_are(method):
    row = METHODS[method]
    assert set(row.space.parameters) <= set(row.defaults)
    assert row.about.endswith(".")
    assert row.source


def test_settings_are_checked_and_survive_json():
    defaults = {"rate": 0.1, "members": 4}
    settings = MethodSettings(own={"rate": 1})
    assert settings.chosen(defaults) == {"rate": 1, "members": 4}
    assert MethodSettings.from_json(settings.to_json()) == settings
    with pytest.raises(SettingError, match="did you mean 'rate'"):
        MethodSettings(own={"rat": 0.1}).chosen(defaults)
    with pytest.raises(SettingError, match="members must be of type int"):
        MethodSettings(own={"members": 1.5}).chosen(defaults)
