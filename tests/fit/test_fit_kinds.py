"""Training beats the trivial baseline on every kind of task, and is exact where it says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pomona.fit import FitSettings, fit
from pomona.fit.baselines import baseline
from pomona.fit.evaluate import evaluation, score_of
from pomona.foundation.errors import Interrupted
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task
from pomona.tasks.batch import take
from pomona.tasks.source import ArraySource

STEPS = {
    "digits": 150,
    "digit-properties": 150,
    "diabetes": 150,
    "shapes": 100,
    "tagged-words": 150,
    "small-grammar": 150,
    "seasonal-series": 150,
    "two-digits": 150,
}


@pytest.fixture
def run():
    with temporary_run(threads=1) as run:
        yield run


def small(task, num_train=600, num_valid=200):
    """The task with fewer examples, in memory."""
    limits = {"train": num_train, "valid": num_valid, "test": num_valid}
    splits = {}
    for split, most in limits.items():
        source = task.splits[split]
        size = most if source.size is None else min(most, source.size)
        splits[split] = ArraySource(source.read(np.arange(size)))
    return replace(task, splits=splits)


def tiny_vectors(task, dtype="float64"):
    """A task of one vector and its usual dense network, without dropout."""
    (name,) = task.inputs
    ((target, feature),) = task.targets.items()
    shape = (len(feature.classes),) if feature.classes else feature.shape
    blocks = (
        Block("body", "dense", {"width": 16}, (name,)),
        Block("out", "head", {"shape": shape}, ("body",)),
    )
    return Spec(task.inputs, blocks, {target: "out"}), FitSettings(
        steps=12, batch_size=32, precision=dtype, keep="last"
    )


@pytest.mark.parametrize("name", STEPS)
def test_every_kind_learns_more_than_the_trivial_baseline(name, run):
    task = small(load_task(name))
    result = fit(task, default_spec(task), FitSettings(steps=STEPS[name], augment="none"), run=run)
    assert not result.failed
    network = build(result.spec, 0)
    network.load_state_dict(result.state)
    mine = evaluation(network, task, "test").values
    trivial = baseline(task).trivial
    assert score_of(task, mine) > score_of(task, trivial.test)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    task = load_task("iris")
    spec, settings = tiny_vectors(task)
    states = []
    for seed in (0, 0, 1):
        with temporary_run(seed=seed, threads=1) as run:
            states.append(fit(task, spec, settings, run=run).state)
    for name in states[0]:
        assert torch.equal(states[0][name], states[1][name])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_pieces_of_a_batch_give_the_step_of_the_whole(run):
    task = load_task("iris")
    spec, settings = tiny_vectors(task)
    whole = fit(task, spec, settings, run=run, name="a").state
    with temporary_run(threads=1) as other:
        parts = fit(task, spec, replace(settings, accumulate=4), run=other, name="a").state
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-9, atol=1e-11)


def test_examples_of_weight_zero_do_not_matter():
    """Their inputs and targets are replaced by others: nothing may change."""
    task = load_task("iris")
    spec, settings = tiny_vectors(task)
    train = task.splits["train"].read(np.arange(task.splits["train"].size))
    weight = (np.arange(len(train["species"])) % 3 > 0).astype(np.float32)
    (name,) = task.inputs
    states = []
    for shift in (0.0, 5.0):
        changed = dict(train, weight=weight)
        changed[name] = np.where(weight[:, None] > 0, train[name], train[name] + np.float32(shift))
        changed["species"] = np.where(weight > 0, train["species"], (train["species"] + int(shift)) % 3)
        weighted = replace(task, splits={**task.splits, "train": ArraySource(changed)})
        with temporary_run(threads=1) as run:
            states.append(fit(weighted, spec, settings, run=run).state)
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], rtol=1e-9, atol=1e-12)


def test_an_interrupted_fit_goes_on_to_the_same_bits(tmp_path):
    task = small(load_task("digits"), 200, 100)
    spec = default_spec(task)
    settings = FitSettings(steps=40, checkpoint_seconds=0, augment="medium", ema=0.9)
    with temporary_run(threads=1) as run:
        whole = fit(task, spec, settings, run=run).state
    with temporary_run(threads=1) as run:
        stop_after = iter([False] * 13 + [True])
        plain = type(run).should_stop
        run.should_stop = lambda: next(stop_after, True) and setattr(run.clock, "interrupted", True) is None
        with pytest.raises(Interrupted):
            fit(task, spec, settings, run=run)
        run.clock.interrupted = False
        run.should_stop = lambda: plain(run)
        again = fit(task, spec, settings, run=run).state
    for name in whole:
        assert torch.equal(whole[name], again[name])


def test_a_loss_that_is_not_finite_is_a_failed_fit_not_a_crash(run):
    task = load_task("diabetes")
    spec, settings = tiny_vectors(task, "float32")
    train = task.splits["train"].read(np.arange(100))
    (name,) = task.inputs
    huge = dict(take(train, np.arange(100)))
    huge[name] = huge[name] * np.float32(1e30)
    broken = replace(task, splits={**task.splits, "train": ArraySource(huge)})
    result = fit(broken, spec, replace(settings, steps=60, clip_norm=0.0, learning_rate=1.0), run=run)
    assert result.failed
    assert all(bool(tensor.isfinite().all()) for tensor in result.state.values())


def test_several_inputs_and_targets_are_learned_together(run):
    task = small(load_task("two-digits"))
    assert len(task.inputs) == 2
    assert len(task.targets) == 2
    result = fit(task, default_spec(task), FitSettings(steps=80, augment="none"), run=run)
    assert all(any(name.startswith(f"{target}/") for name in result.valid) for target in task.targets)
