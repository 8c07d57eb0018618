"""A population trained along the axis is its members trained one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pomona.fit.loop import fit
from pomona.fit.members import fit_population
from pomona.fit.settings import FitSettings
from pomona.fit.setup import Setup
from pomona.foundation.run import temporary_run
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task
from pomona.tasks.source import ArraySource, DrawnSource

TASK = load_task("digits")
SMOOTH = Spec(
    TASK.inputs,
    (
        # no kinks: where inputs are tied, rounding decides on which side of one they are
        Block("stem", "convolution", {"width": 16, "activation": "tanh"}, ("image",)),
        Block("vector", "global_pool", {}, ("stem",)),
        Block("body", "dense", {"width": 16, "norm": "layer", "activation": "gelu"}, ("vector",)),
        Block("head", "head", {"shape": (10,)}, ("body",)),
    ),
    {"digit": "head"},
)
EXACT = FitSettings(steps=3, batch_size=16, precision="float64", keep="last", evaluate_every=9)
SEEDS = (11, 5, 7)


def alone(seed, settings, *, task=TASK, spec=SMOOTH):
    with temporary_run(seed=seed, threads=1) as run:
        return fit(task, spec, settings, run=run, name="same")


def together(settings, *, how="auto", task=TASK, spec=SMOOTH, seeds=SEEDS):
    with temporary_run(seed=99, threads=1) as run:
        return fit_population(task, spec, settings, seeds, run=run, name="same", how=how)


@pytest.mark.parametrize("how", ["loop", "chunk:2", "vmap", "auto"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"augment": "strong", "mixup": 0.3, "ema": 0.9},
        {"optimizer": "sgd", "clip_norm": 0.01, "label_smoothing": 0.1, "class_weights": "balanced"},
    ],
    ids=["plain", "varied", "clipped"],
)
def test_one_equals_many(how, changes):
    settings = replace(EXACT, **changes)
    for seed, result in zip(SEEDS, together(settings, how=how), strict=True):
        single = alone(seed, settings)
        for name, tensor in single.state.items():
            torch.testing.assert_close(result.state[name], tensor, rtol=0, atol=1e-12)
        assert result.valid == pytest.approx(single.valid, abs=1e-9)
        assert result.steps == single.steps


@pytest.mark.parametrize("how", ["loop", "vmap"])
def test_batch_norms_keep_the_statistics_of_each_member(how):
    spec = Spec(
        TASK.inputs,
        (
            Block("stem", "convolution", {"width": 16, "norm": "batch", "activation": "tanh"}, ("image",)),
            Block("vector", "global_pool", {}, ("stem",)),
            Block("head", "head", {"shape": (10,)}, ("vector",)),
        ),
        {"digit": "head"},
    )
    for seed, result in zip(SEEDS, together(EXACT, how=how, spec=spec), strict=True):
        for name, tensor in alone(seed, EXACT, spec=spec).state.items():
            torch.testing.assert_close(result.state[name], tensor, rtol=0, atol=1e-12)


def test_members_hang_on_their_seed_not_on_their_place():
    wanted = together(EXACT, how="vmap")
    other = together(EXACT, how="vmap", seeds=(7, 11))
    for first, second in ((wanted[2], other[0]), (wanted[0], other[1])):
        for name in first.state:
            torch.testing.assert_close(first.state[name], second.state[name], rtol=0, atol=1e-12)
    assert not torch.equal(
        wanted[0].state["blocks.head.linear.weight"], wanted[1].state["blocks.head.linear.weight"]
    )


def test_recurrent_networks_are_trained_too():
    task = load_task("seasonal-series")
    spec = Spec(
        task.inputs,
        (
            Block("body", "gru", {"width": 16}, ("past",)),
            Block("vector", "global_pool", {}, ("body",)),
            Block("head", "head", {"shape": (12, 1)}, ("vector",)),
        ),
        {"future": "head"},
    )
    for seed, result in zip(SEEDS, together(EXACT, task=task, spec=spec), strict=True):
        for name, tensor in alone(seed, EXACT, task=task, spec=spec).state.items():
            torch.testing.assert_close(result.state[name], tensor, rtol=0, atol=1e-12)


def test_a_member_that_fails_leaves_the_others_alone(monkeypatch):
    start = Setup.start

    def start_broken(self, seed, weights=None):
        network = start(self, seed, weights)
        if seed == 5:
            with torch.no_grad():
                next(network.parameters()).mul_(torch.nan)
        return network

    wanted = together(EXACT, how="vmap")
    monkeypatch.setattr(Setup, "start", start_broken)
    found = together(EXACT, how="vmap")
    assert "no longer finite" in found[1].failed
    assert not found[1].history
    for member in (0, 2):
        assert not found[member].failed
        for name in wanted[member].state:
            torch.testing.assert_close(
                found[member].state[name], wanted[member].state[name], rtol=0, atol=1e-12
            )


def test_members_stop_early_each_for_itself():
    few = ArraySource(TASK.splits["train"].read(np.arange(100)))
    task = replace(TASK, splits={**TASK.splits, "train": few, "valid": few})
    settings = FitSettings(steps=60, batch_size=50, evaluate_every=1, early_stopping=2, learning_rate=0.3)
    found = together(settings, how="vmap", task=task, seeds=range(4))
    assert any(result.stopped == "early stopping" for result in found)
    for result in found:
        if result.stopped:
            steps = [entry["step"] for entry in result.history]
            assert result.steps == steps[-1]
            assert steps.index(result.best_step) == len(steps) - 3


def test_endless_examples_are_drawn_for_each_member():
    def make(generator, size):
        digit = generator.integers(0, 10, size)
        image = generator.normal(size=(size, 1, 8, 8)).astype(np.float32) + digit[:, None, None, None]
        return {"image": image.astype(np.float32), "digit": digit}

    task = replace(TASK, splits=dict.fromkeys(("train", "valid", "test"), DrawnSource(make)))
    with temporary_run(seed=11, threads=1) as run:
        # drawn validation examples are the run's: the same for all members
        found = fit_population(task, SMOOTH, EXACT, SEEDS, run=run, name="same", how="vmap")
    wanted = alone(11, EXACT, task=task)
    for name, tensor in wanted.state.items():
        torch.testing.assert_close(found[0].state[name], tensor, rtol=0, atol=1e-12)
    assert found[0].valid == pytest.approx(wanted.valid, abs=1e-9)
