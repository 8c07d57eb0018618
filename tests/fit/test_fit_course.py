"""What happens around the steps: evaluations, early stopping, the weights that are kept, budgets, resumes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pomona.fit.course import READ_EVERY
from pomona.fit.evaluate import evaluate, evaluation, predict, score_of
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import RunError, SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task
from pomona.tasks.source import ArraySource, DrawnSource

TASK = load_task("iris")
SPEC = Spec(
    TASK.inputs,
    (
        Block("body", "dense", {"width": 16}, ("columns",)),
        Block("out", "head", {"shape": (3,)}, ("body",)),
    ),
    {"species": "out"},
)
SHORT = FitSettings(steps=40, batch_size=16, evaluate_every=1)


@pytest.fixture
def run():
    with temporary_run(threads=1) as run:
        yield run


def network_of(result):
    network = build(result.spec, 0)
    network.load_state_dict(result.state)
    return network


def test_the_result_has_the_best_evaluation_of_the_history(run):
    result = fit(TASK, SPEC, SHORT, run=run)
    order = [(score_of(TASK, entry["valid"]), -entry["valid_loss"]) for entry in result.history]
    best = result.history[order.index(max(order))]
    assert result.best_step == best["step"]
    assert result.valid == best["valid"]
    assert evaluate(network_of(result), TASK, "valid") == pytest.approx(best["valid"])
    assert [entry["step"] for entry in result.history] == [*range(7, 40, 7), 40]
    assert [entry["epoch"] for entry in result.history][:2] == [1.0, 2.0]


def test_the_last_weights_are_kept_when_asked(run):
    result = fit(TASK, SPEC, replace(SHORT, keep="last"), run=run)
    assert result.best_step == result.steps == 40
    assert result.valid == result.history[-1]["valid"]


def test_the_history_tells_the_mean_training_loss_since_the_last_entry(run):
    each = fit(TASK, SPEC, replace(SHORT, evaluate_every=1, steps=28), run=run, name="a").history
    with temporary_run(threads=1) as other:
        pairs = fit(TASK, SPEC, replace(SHORT, evaluate_every=2, steps=28), run=other, name="a").history
    losses = [entry["loss"] for entry in each]
    assert [entry["loss"] for entry in pairs] == pytest.approx(
        [np.mean(losses[:2]), np.mean(losses[2:])], rel=1e-6
    )


def test_training_ends_when_validation_gets_no_better(run):
    settings = replace(SHORT, steps=4000, learning_rate=0.03, early_stopping=3)
    result = fit(TASK, SPEC, settings, run=run)
    assert result.stopped == "early stopping"
    assert result.steps < 4000
    steps = [entry["step"] for entry in result.history]
    assert steps.index(result.best_step) == len(steps) - 1 - 3


def test_the_average_of_the_weights_is_what_is_evaluated_and_kept(run):
    """A decay of almost 1 leaves the average where the warm-up of the decay has brought it."""
    moving = fit(TASK, SPEC, replace(SHORT, ema=0.9999, keep="last", learning_rate=0.1), run=run, name="a")
    with temporary_run(threads=1) as other:
        plain = fit(TASK, SPEC, replace(SHORT, keep="last", learning_rate=0.1), run=other, name="a")
    assert any(not torch.allclose(moving.state[name], plain.state[name]) for name in plain.state)
    assert [e["loss"] for e in moving.history] == [e["loss"] for e in plain.history]
    assert [e["valid_loss"] for e in moving.history] != [e["valid_loss"] for e in plain.history]


def test_a_spent_budget_ends_a_fit_with_what_it_has(run):
    run.clock.seconds = 1e-9
    result = fit(TASK, SPEC, SHORT, run=run)
    assert result.stopped == "seconds"
    assert result.steps == 0
    assert result.valid
    assert len(result.history) == 1


def test_a_fit_that_ran_out_of_time_ends_at_the_same_step_again(run):
    asked = iter([False] * 11 + [True] * 100)
    type_of = type(run)
    run.should_stop = lambda: next(asked)
    run.clock.seconds = 1e9
    first = fit(TASK, SPEC, SHORT, run=run)
    assert (first.stopped, first.steps) == ("seconds", 11)
    run.should_stop = lambda: True
    second = fit(TASK, SPEC, SHORT, run=run)
    assert second.steps == 11
    assert type_of is type(run)
    for name in first.state:
        assert torch.equal(first.state[name], second.state[name])


def test_a_finished_fit_is_found_done(run):
    settings = replace(SHORT, checkpoint_seconds=0)
    first = fit(TASK, SPEC, settings, run=run)
    began = [path.stat().st_mtime_ns for path in run.path("checkpoints", "fit").glob("*.safetensors")]
    again = fit(TASK, SPEC, settings, run=run)
    assert began
    assert again.history == first.history
    assert all(torch.equal(first.state[name], again.state[name]) for name in first.state)


def test_short_fits_leave_no_checkpoints(run):
    fit(TASK, SPEC, SHORT, run=run)
    assert not list(run.folder.rglob("*.safetensors"))


def test_checkpoints_of_another_fit_are_not_gone_on_with(run):
    fit(TASK, SPEC, replace(SHORT, checkpoint_seconds=0), run=run)
    with pytest.raises(RunError, match="other work"):
        fit(TASK, SPEC, replace(SHORT, checkpoint_seconds=0, learning_rate=0.1), run=run)
    fit(TASK, SPEC, replace(SHORT, learning_rate=0.1), run=run, name="another")


def test_a_failed_fit_keeps_the_best_weights_before(run):
    numbers = TASK.splits["train"].read(np.arange(100))
    drawn = []

    def make(generator, size):
        drawn.append(size)
        chosen = generator.integers(0, 100, size)
        columns = numbers["columns"][chosen] * np.float32(np.nan if len(drawn) > 270 else 1)
        return {"columns": columns, "species": numbers["species"][chosen]}

    task = replace(TASK, splits={**TASK.splits, "train": DrawnSource(make)})
    result = fit(task, SPEC, replace(SHORT, steps=400), run=run)
    assert "no longer finite by step 280" in result.failed
    assert result.steps == 280 == 14 * READ_EVERY
    assert [entry["step"] for entry in result.history] == [100, 200]
    assert all(bool(tensor.isfinite().all()) for tensor in result.state.values())
    assert evaluate(network_of(result), TASK, "valid") == pytest.approx(result.valid)


def test_weights_to_start_from_are_started_from(run):
    first = fit(TASK, SPEC, SHORT, run=run)
    settings = replace(SHORT, steps=1, learning_rate=1e-12, warmup=0.0)
    again = fit(TASK, SPEC, settings, run=run, name="more", weights=first.state)
    for name in first.state:
        torch.testing.assert_close(again.state[name], first.state[name])


def test_a_streamed_split_is_learned_to_the_same_bits(run):
    task = load_task("digits")
    spec = Spec(
        task.inputs,
        (Block("flat", "flatten", {}, ("image",)), Block("out", "head", {"shape": (10,)}, ("flat",))),
        {"digit": "out"},
    )
    parts = task.splits["train"].read(np.arange(60))
    larger = ArraySource(
        {name: np.tile(array, (80, *[1] * (array.ndim - 1))) for name, array in parts.items()}
    )
    task = replace(task, splits={**task.splits, "train": larger})
    states = [
        fit(
            task, spec, FitSettings(steps=20, memory_mb=memory_mb, precision=precision), run=run, name="same"
        ).state
        for memory_mb, precision in ((1, "float32"), (100, "float32"))
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_endless_examples_are_learned(run):
    def make(generator, size):
        x = generator.normal(size=(size, 4)).astype(np.float32)
        return {
            "columns": x,
            "species": (x[:, :3] @ np.float32([[1, -1, 0], [0, 1, -1], [1, 0, 1]])).argmax(1),
        }

    endless = {name: DrawnSource(make) for name in ("train", "valid", "test")}
    task = replace(TASK, splits=endless)
    result = fit(task, SPEC, FitSettings(steps=300, learning_rate=0.01), run=run)
    assert result.history[0]["epoch"] == 1.0
    assert result.valid["accuracy"] > 0.9
    assert evaluate(network_of(result), task, "valid") == pytest.approx(result.valid)


def test_bfloat16_learns_and_leaves_weights_in_float32(run):
    result = fit(TASK, SPEC, replace(SHORT, precision="bfloat16", steps=100), run=run)
    assert {tensor.dtype for tensor in result.state.values()} == {torch.float32}
    assert result.valid["accuracy"] > 0.6


def test_predictions_do_not_hang_on_the_size_of_batches_and_need_no_truth(run):
    network = network_of(fit(TASK, SPEC, SHORT, run=run))
    arrays = TASK.splits["test"].read(np.arange(20))
    blind = ArraySource({"columns": arrays["columns"]})
    whole = predict(network, blind, TASK)["species"]
    assert whole.shape == (20, 3)
    np.testing.assert_allclose(whole.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(predict(network, blind, TASK, batch_size=3)["species"], whole, rtol=1e-5)
    assert network.training


def test_predictions_of_numbers_are_in_the_unit_of_the_target(run):
    task = load_task("diabetes")
    spec = Spec(task.inputs, (Block("out", "head", {"shape": ()}, ("columns",)),), {"progression": "out"})
    network = build(spec, 0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    feature = task.targets["progression"]
    predicted = predict(network, task.splits["test"], task)["progression"]
    np.testing.assert_allclose(predicted, feature.center, rtol=1e-6)
    found = evaluation(network, task, "test")
    truth = task.splits["test"].read(np.arange(63))["progression"].astype(np.float64)
    assert found.values["rmse"] == pytest.approx(np.sqrt(((truth - feature.center) ** 2).mean()), rel=1e-5)
    assert found.score == -found.values["rmse"]
    assert len(found.rows["rmse"]) == 63


def test_an_unknown_split_or_device_is_refused(run):
    network = build(SPEC, 0)
    with pytest.raises(SettingError, match="split of task iris 'tests'; did you mean 'test'"):
        evaluate(network, TASK, "tests")
    run.device = "cuda:99"
    with pytest.raises(SettingError, match="no device"):
        fit(TASK, SPEC, SHORT, run=run)
