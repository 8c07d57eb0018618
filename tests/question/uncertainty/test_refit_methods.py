"""Methods that fit the usual network otherwise or several times, or correct what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from pomona.fit.settings import FitSettings
from pomona.fit.temperature import temper
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.catalogue import NETWORKS
from pomona.question.uncertainty.asking import said_of_source, said_of_split
from pomona.question.uncertainty.measures.table import measure
from pomona.question.uncertainty.methods import METHODS, MethodSettings
from pomona.question.uncertainty.methods.focal import focal_costs
from pomona.question.uncertainty.methods.hyper_ensemble import greedy, varied
from pomona.question.uncertainty.methods.refits import REFITS
from pomona.question.uncertainty.parts import CALIBRATE, with_calibration
from pomona.tasks.feature import Feature
from pomona.tasks.load import load_task
from pomona.tasks.metrics import METRICS
from pomona.tasks.source import ArraySource

FIT = FitSettings(steps=30, evaluate_every=100)


def fitted(method, task, own=None, *, fit=FIT, seed=0):
    with temporary_run(seed=seed) as run:
        settings = MethodSettings(fit, own or {})
        return METHODS[method].function(task, NETWORKS["default"](task), settings, run=run, name="network")


@pytest.fixture(scope="module")
def wine():
    return with_calibration(load_task("wine"))


@pytest.fixture(scope="module")
def diabetes():
    return with_calibration(load_task("diabetes"))


@pytest.mark.parametrize("name", [name for name in REFITS if "classify" in REFITS[name].kinds])
def test_every_method_of_classes_says_the_same_by_seed_and_twice(wine, name):
    first, again = fitted(name, wine), fitted(name, wine)
    batch = wine.splits["test"].read(np.arange(10))
    said = first.say(batch)
    np.testing.assert_array_equal(said.probabilities, first.say(batch).probabilities)
    np.testing.assert_allclose(said.probabilities, again.say(batch).probabilities, atol=1e-6)
    np.testing.assert_allclose(said.probabilities.sum(1), 1, atol=1e-6)
    assert first.parameters > 0
    assert first.flops > 0
    assert first.steps >= 30
    assert all(isinstance(tensor, torch.Tensor) for tensor in first.state.values())


@pytest.mark.parametrize("name", [name for name in REFITS if "regress" in REFITS[name].kinds])
def test_every_method_of_values_has_an_interval_or_a_deviation(diabetes, name):
    said, truth = said_of_split(fitted(name, diabetes).say, diabetes, "test")
    assert said.mean.shape == truth.shape
    values = measure(said, truth).values
    assert values["width"] > 0
    assert {"coverage", "rmse"} <= set(values)


def test_members_of_ensembles_differ(wine):
    said = fitted("deep-ensemble", wine).say(wine.splits["test"].read(np.arange(10)))
    assert len(said.members) == 4
    assert np.abs(said.members[0] - said.members[1]).max() > 1e-3
    np.testing.assert_allclose(said.probabilities, said.members.mean(0))


def test_greedy_choice_never_does_worse_than_the_best_candidate():
    generator = np.random.default_rng(0)
    predicted, truth = generator.dirichlet(np.ones(3), (6, 50)), generator.integers(0, 3, 50)

    def loss(one):
        return METRICS["nll"].value(METRICS["nll"].rows(one, truth, None, None))

    taken = greedy(predicted, truth, "classify", 4)
    best = int(np.argmin([loss(one) for one in predicted]))
    assert taken[0] == best
    assert loss(predicted[taken].mean(0)) <= loss(predicted[best])


def test_varied_settings_stay_within_the_spread():
    rates = [varied(FIT, "classify", 4.0, seed=seed).learning_rate for seed in range(50)]
    assert min(rates) >= FIT.learning_rate / 4
    assert max(rates) <= FIT.learning_rate * 4
    assert len(set(rates)) == 50


def test_temperature_scaling_tempers_the_same_network_on_calibration_examples(wine):
    plain, scaled = fitted("deterministic", wine), fitted("temperature-scaling", wine)
    temperature = float(scaled.state["temperature"])
    said, truth = said_of_split(plain.say, wine, CALIBRATE)
    tempered, _ = said_of_split(scaled.say, wine, CALIBRATE)
    np.testing.assert_allclose(tempered.probabilities, temper("classify", said.probabilities, temperature))
    rows = [
        METRICS["nll"].rows(one.probabilities, truth, None, None)[:, 0].mean() for one in (said, tempered)
    ]
    assert rows[1] <= rows[0] + 0.05


@pytest.mark.parametrize("name", ["conformal", "conformal-adaptive"])
def test_sets_hold_calibration_truths_as_often_as_claimed(wine, name):
    said, truth = said_of_split(fitted(name, wine).say, wine, CALIBRATE)
    assert said.sets[np.arange(len(truth)), truth].mean() >= 0.9


@pytest.mark.parametrize("name", ["conformal-residual", "conformal-quantile"])
def test_intervals_hold_calibration_truths_as_often_as_claimed(diabetes, name):
    said, truth = said_of_split(fitted(name, diabetes).say, diabetes, CALIBRATE)
    held = ((said.interval[0] <= truth) & (truth <= said.interval[1])).mean()
    assert 0.9 <= held <= 0.9 + 3 / len(truth)


def test_conformal_quantiles_draw_too_wide_intervals_in():
    task = load_task("diabetes")
    generator = np.random.default_rng(0)
    target = next(iter(task.targets))
    # nothing can be learned, so that half the examples say how wide the whole is
    splits = {
        name: ArraySource(
            {
                "columns": generator.normal(size=(400, 10)).astype(np.float32),
                target: generator.normal(150, 50, 400).astype(np.float32),
            }
        )
        for name in ("train", "valid", "test", CALIBRATE)
    }
    noise = replace(task, splits=splits)
    said, truth = said_of_source(fitted("conformal-quantile", noise).say, noise, noise.splits["test"])
    assert 0.84 <= ((said.interval[0] <= truth) & (truth <= said.interval[1])).mean() <= 0.96


def test_focal_loss_of_exponent_0_is_cross_entropy_and_else_its_formula():
    logits, truth = torch.randn(8, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    nats = functional.cross_entropy(logits, truth, reduction="none")
    torch.testing.assert_close(focal_costs(logits, truth, 0.0), nats)
    chance = logits.softmax(-1)[torch.arange(8), truth]
    torch.testing.assert_close(focal_costs(logits, truth, 2.0), (1 - chance) ** 2 * nats)
    sure = torch.tensor([[60.0, 0.0]], requires_grad=True)
    focal_costs(sure, torch.tensor([0]), 0.5).sum().backward()
    assert sure.grad.isfinite().all()


def test_mixup_refuses_inputs_that_cannot_be_mixed(wine):
    text = replace(wine, inputs={"text": Feature("text", "tokens", (3,), num_tokens=9)})
    with temporary_run() as run, pytest.raises(SettingError, match="mixup mixes"):
        METHODS["mixup"].function(text, NETWORKS["default"](text), MethodSettings(), run=run, name="network")
