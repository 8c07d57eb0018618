"""What holds for every metric, and where a metric must say nothing."""

import dataclasses
import math

import numpy as np
import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import DEFAULT_METRICS, METRICS
from pomona.tasks.metrics.interval import interval
from pomona.tasks.metrics.measure import (
    measure,
    metric_rows,
    metric_values,
    primary_metric,
    primary_value,
)
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.preprocessing.arrays import fit_series
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

CLASSES = tuple("abcdefg")
TARGETS = {
    "classify": Feature("y", "category", (), classes=CLASSES),
    "multilabel": Feature("y", "labels", (7,), classes=CLASSES),
    "regress": Feature("y", "keypoints", (4, 2)),
    "segment": Feature("y", "mask", (3, 4), classes=CLASSES),
    "sequence": Feature("y", "category", (5,), classes=CLASSES, variable=True),
    "language": Feature("y", "tokens", (5,), num_tokens=7, variable=True),
    "forecast": Feature("y", "series", (3, 2)),
}
KINDS = pytest.mark.parametrize("kind", TARGETS)


def _task(kind, **changes):
    source = ArraySource({"x": np.zeros((1, 6, 2), np.float32)})
    values = {
        "name": "made",
        "kind": kind,
        "inputs": {"x": Feature("x", "series", (6, 2))},
        "targets": {"y": TARGETS[kind]},
        "splits": {"train": source, "valid": source, "test": source},
        "metrics": DEFAULT_METRICS[kind],
        "preprocessing": Preprocessing(()),
        "fingerprint": "",
    }
    return Task(**{**values, **changes})


def _examples(kind, num_examples=40, seed=0):
    """Predictions of the right shape and a batch with weights and masks."""
    generator = np.random.default_rng(seed)
    feature = TARGETS[kind]
    shape = (num_examples, *feature.shape)
    batch = {
        "x": generator.normal(size=(num_examples, 6, 2)),
        "weight": generator.uniform(0.1, 2, num_examples),
    }
    if kind in ("regress", "forecast"):
        batch["y"] = generator.normal(size=shape)
        return {"y": batch["y"] + generator.normal(size=shape)}, batch
    if kind == "multilabel":
        batch["y"] = generator.integers(0, 2, shape).astype(np.float32)
        return {"y": generator.uniform(size=shape).astype(np.float32)}, batch
    batch["y"] = generator.integers(0, 7, shape)
    probabilities = generator.dirichlet(np.ones(7), shape).astype(np.float32)
    if feature.variable:
        batch["y.mask"] = np.arange(5) < generator.integers(1, 6, num_examples)[:, None]
    return {"y": np.moveaxis(probabilities, -1, 1) if kind == "segment" else probabilities}, batch


def _part(arrays, ids):
    return {name: array[ids] for name, array in arrays.items()}


@KINDS
def test_every_default_metric_of_a_kind_is_measured_and_lies_in_its_range(kind):
    values = measure(_task(kind), *_examples(kind))
    assert tuple(values) == DEFAULT_METRICS[kind]
    for name, value in values.items():
        low, high = METRICS[name].range
        assert low <= value <= high, name
        assert kind in METRICS[name].kinds


@KINDS
def test_rows_of_batches_joined_give_the_value_of_the_whole(kind):
    task, (predictions, batch) = _task(kind), _examples(kind)
    parts = [
        metric_rows(task, _part(predictions, ids), _part(batch, ids))
        for ids in np.split(np.arange(40), [3, 4, 30])
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    assert metric_values(task, joined) == pytest.approx(measure(task, predictions, batch), rel=1e-12)


@KINDS
def test_the_order_of_examples_does_not_matter(kind):
    task, (predictions, batch) = _task(kind), _examples(kind)
    order = np.random.default_rng(1).permutation(40)
    shuffled = measure(task, _part(predictions, order), _part(batch, order))
    assert shuffled == pytest.approx(measure(task, predictions, batch), rel=1e-9)


@KINDS
def test_a_weight_of_two_is_the_example_twice_and_of_zero_none(kind):
    task, (predictions, batch) = _task(kind), _examples(kind)
    weights = np.random.default_rng(2).integers(0, 3, 40)
    repeated = np.repeat(np.arange(40), weights)
    plain = {name: array for name, array in batch.items() if name != "weight"}
    expected = measure(task, _part(predictions, repeated), _part(plain, repeated))
    assert measure(task, predictions, {**plain, "weight": weights}) == pytest.approx(expected, rel=1e-9)


@KINDS
def test_a_perfect_prediction_has_the_best_value(kind):
    _, batch = _examples(kind)
    batch["y"] = np.where(batch["y"] == 0, 1, batch["y"]) if kind == "language" else batch["y"]
    truth, batch["weight"] = batch["y"], np.ones(40)
    if kind not in ("regress", "forecast", "multilabel"):
        truth = np.eye(7)[truth]
        truth = np.moveaxis(truth, -1, 1) if kind == "segment" else truth
    for name, value in measure(_task(kind), {"y": truth}, batch).items():
        best = METRICS[name].range[1 if METRICS[name].greater_is_better else 0]
        assert value == pytest.approx(best, abs=1e-9), name


@pytest.mark.parametrize("kind", ["sequence", "language"])
def test_what_is_masked_never_counts(kind):
    task, (predictions, batch) = _task(kind), _examples(kind)
    expected = measure(task, predictions, batch)
    predictions["y"][~batch["y.mask"]] = np.eye(7)[0]
    batch["y"][~batch["y.mask"]] = 6
    assert measure(task, predictions, batch) == pytest.approx(expected, rel=1e-12)


def test_token_0_is_padding_even_without_a_mask():
    prediction = np.full((2, 3, 4), 0.25)
    padded = {"y": np.array([[1, 2, 0], [3, 0, 0]])}
    rows = metric_rows(_task("language"), {"y": prediction}, padded)
    assert rows["perplexity"][:, 1].tolist() == [2, 1]
    assert metric_values(_task("language"), rows)["perplexity"] == pytest.approx(4)
    assert metric_values(_task("language"), rows)["bits_per_token"] == pytest.approx(2)


def test_a_metric_without_meaning_is_absent():
    two = Feature("y", "category", (), classes=("no", "yes"))
    task = _task("classify", targets={"y": two})
    one_class = measure(task, {"y": np.full((4, 2), 0.5)}, {"y": np.ones(4, np.int64)})
    assert not {"auroc", "average_precision", "top5_accuracy"} & set(one_class)
    number = _task("regress", targets={"y": Feature("y", "number", ())})
    still = measure(number, {"y": np.zeros(5, np.float32)}, {"y": np.full(5, 0.1, np.float32)})
    assert set(still) == {"rmse", "mae", "median_absolute_error"}
    for kind in TARGETS:
        predictions, batch = _examples(kind)
        assert measure(_task(kind), predictions, {**batch, "weight": np.zeros(40)}) == {}


def test_a_class_that_no_one_has_or_guesses_is_left_out_of_means():
    prediction = np.eye(4)[[0, 0, 1]]
    values = measure(_task("classify"), {"y": prediction}, {"y": np.array([0, 1, 1])})
    assert values["macro_f1"] == pytest.approx(2 / 3)
    assert values["balanced_accuracy"] == pytest.approx(3 / 4)


def test_a_constant_prediction_is_in_the_top_five_by_chance_only():
    values = measure(_task("classify"), {"y": np.full((20, 10), 0.1)}, {"y": np.arange(20) % 7})
    assert values["top5_accuracy"] == pytest.approx(0.5)


def test_several_targets_carry_their_name_and_one_does_not():
    targets = {"y": TARGETS["classify"], "z": TARGETS["classify"]}
    task = _task("classify", targets=targets, metrics=("accuracy", "nll"))
    one, batch = _examples("classify")
    other, other_batch = _examples("classify", seed=1)
    values = measure(task, {**one, "z": other["y"]}, {**batch, "z": other_batch["y"]})
    assert set(values) == {"y/accuracy", "y/nll", "z/accuracy", "z/nll"}
    assert primary_value(task, values) == pytest.approx((values["y/accuracy"] + values["z/accuracy"]) / 2)
    assert primary_value(task, {"y/accuracy": 1.0}) is None
    assert primary_metric(task).name == "accuracy"


def test_errors_of_several_targets_are_averaged_by_their_scales():
    targets = {"y": Feature("y", "number", ()), "z": Feature("z", "number", (), scale=100.0)}
    task = _task("regress", targets=targets)
    assert primary_value(task, {"y/rmse": 2.0, "z/rmse": 300.0}) == pytest.approx(2.5)


def test_mase_is_that_of_raw_series_however_the_input_is_standardised():
    predictions, batch = _examples("forecast")
    plain = measure(_task("forecast"), predictions, batch)
    step = fit_series("x", batch["x"] * [1, 30] + 5, output="x")
    scaled = _task("forecast", preprocessing=Preprocessing((step,)))
    standardised = Preprocessing((step,)).apply({"x": batch["x"]})
    assert measure(scaled, predictions, {**batch, **standardised})["mase"] == pytest.approx(
        plain["mase"], rel=1e-5
    )


def test_mase_is_absent_where_no_input_is_the_past_of_the_target():
    watts = dataclasses.replace(TARGETS["forecast"], unit="W")
    predictions, batch = _examples("forecast")
    assert "mase" not in measure(_task("forecast", targets={"y": watts}), predictions, batch)
    two = {name: Feature(name, "series", (6, 2)) for name in ("x", "z")}
    assert "mase" not in measure(_task("forecast", inputs=two), predictions, {**batch, "z": batch["x"]})


def test_wrong_metric_names_and_missing_predictions_are_refused_in_one_line():
    predictions, batch = _examples("classify")
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        measure(_task("classify", metrics=("acuracy",)), predictions, batch)
    with pytest.raises(SettingError, match="'rmse' is not for classify"):
        measure(_task("classify", metrics=("rmse",)), predictions, batch)
    with pytest.raises(DataError, match="'y' needs a prediction"):
        measure(_task("classify"), {}, batch)


@KINDS
def test_predictions_that_are_not_finite_are_no_score(kind):
    predictions, batch = _examples(kind)
    predictions["y"].flat[5] = np.nan
    with pytest.raises(DataError, match="NaN"):
        measure(_task(kind), predictions, batch)


def test_calibrated_predictions_have_a_small_error_and_overconfident_ones_a_large_one():
    generator = np.random.default_rng(0)
    prediction = generator.dirichlet(np.ones(3), 20_000)
    target = (prediction.cumsum(axis=1) < generator.uniform(size=(20_000, 1))).sum(axis=1)
    sharp = prediction**4 / (prediction**4).sum(axis=1, keepdims=True)
    metric = METRICS["ece"]
    assert metric.value(metric.rows(prediction, target)) < 0.015
    assert metric.value(metric.rows(sharp, target)) > 0.15


def test_the_calibration_error_of_a_known_case():
    # fifteen confidences, one a bin, all right: the distance is that of their mean from 1
    confidence = np.linspace(0.6, 0.9, 15)
    prediction = np.stack([confidence, 1 - confidence], axis=1)
    metric = METRICS["ece"]
    assert metric.value(metric.rows(prediction, np.zeros(15, np.int64))) == pytest.approx(0.25)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        target = np.zeros(100, np.int64)
        prediction = np.eye(2)[(generator.uniform(size=100) < 0.3).astype(int)]
        metric = METRICS["accuracy"]
        found = interval(metric, metric.rows(prediction, target), seed=seed, level=0.9, num_resamples=200)
        covered += found.low <= 0.7 <= found.high
    assert 165 <= covered <= 195


def test_an_interval_depends_on_its_seed_alone_and_is_absent_where_the_metric_is():
    metric = METRICS["auroc"]
    predictions, batch = _examples("classify")
    rows = metric.rows(predictions["y"], batch["y"])
    assert interval(metric, rows, seed=1) == interval(metric, rows, seed=1) != interval(metric, rows, seed=2)
    assert interval(metric, metric.rows(np.full((9, 2), 0.5), np.zeros(9)), seed=0) is None
    # one positive of nine is missing in every third resample
    assert interval(metric, metric.rows(np.full((9, 2), 0.5), np.arange(9) == 0), seed=0) is None


def test_the_table_is_whole_and_its_ranges_and_directions_make_sense():
    assert set(DEFAULT_METRICS) == set(TARGETS)
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.formula
        assert metric.range[0] < metric.range[1]
        assert math.isfinite(metric.range[1 if metric.greater_is_better else 0])
