"""What held-out examples say of a task's predictions is found for every kind and kept as data."""

import json

import numpy as np
import pytest

from pomona.fit.calibration import Calibration, apply_calibration, calibrate, reliability
from pomona.foundation.errors import ArtifactError
from pomona.foundation.statistics.conformal import prediction_set
from pomona.tasks.feature import Feature
from pomona.tasks.metrics.measure import measure
from pomona.tasks.outputs import softmax
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task


def _task(kind, target):
    source = ArraySource({"x": np.zeros((1, 2), np.float32)})
    splits = {"train": source, "valid": source, "test": source}
    inputs = {"x": Feature("x", "vector", (2,))}
    return Task("made", kind, inputs, {"y": target}, splits, ("nll",), Preprocessing(()), "")


def _overconfident(num_examples, seed=0):
    generator = np.random.default_rng(seed)
    head = generator.normal(size=(num_examples, 4))
    target = (softmax(head).cumsum(axis=1) < generator.uniform(size=(num_examples, 1))).sum(axis=1)
    return {"y": softmax(head * 3).astype(np.float32)}, {"y": target}


def test_calibration_on_held_out_examples_makes_others_likelier_and_covers_them():
    task = _task("classify", Feature("y", "category", (), classes=tuple("abcd")))
    calibration = calibrate(task, *_overconfident(2000), coverage=0.8)
    predictions, batch = _overconfident(2000, seed=1)
    better = apply_calibration("classify", calibration, predictions)
    assert calibration.temperature["y"] == pytest.approx(3, rel=0.1)
    assert measure(task, better, batch)["nll"] < measure(task, predictions, batch)["nll"] - 0.1
    sets = prediction_set(calibration.conformal["y"], better["y"])
    assert sets[np.arange(2000), batch["y"]].mean() == pytest.approx(0.8, abs=0.04)


def test_numbers_have_intervals_and_no_temperature():
    target = np.random.default_rng(0).normal(size=50).astype(np.float32)
    task = _task("regress", Feature("y", "number", ()))
    calibration = calibrate(task, {"y": np.zeros(50, np.float32)}, {"y": target})
    assert calibration.temperature == {}
    assert calibration.conformal["y"].quantiles[0] == pytest.approx(np.sort(np.abs(target))[45])
    assert calibrate(task, {"y": target}, {"y": target}, coverage=None).conformal is None
    assert apply_calibration("regress", calibration, {"y": target})["y"] is target


def test_padding_tokens_do_not_count_in_a_temperature():
    generator = np.random.default_rng(0)
    prediction, target = generator.dirichlet(np.ones(5), (20, 6)), generator.integers(1, 5, (20, 6))
    task = _task("language", Feature("y", "tokens", (6,), num_tokens=5))
    padded = np.concatenate([target, np.zeros((20, 3), int)], axis=1)
    more = np.concatenate([prediction, generator.dirichlet(np.ones(5), (20, 3))], axis=1)
    whole, part = (
        calibrate(task, {"y": more}, {"y": padded}),
        calibrate(task, {"y": prediction}, {"y": target}),
    )
    assert whole.temperature["y"] == pytest.approx(part.temperature["y"])
    assert whole.conformal is None


def test_a_calibration_is_plain_data_and_foreign_data_is_refused():
    task = _task("classify", Feature("y", "category", (), classes=tuple("abcd")))
    for calibration in (
        calibrate(task, *_overconfident(100)),
        calibrate(task, *_overconfident(5)),
        Calibration(),
    ):
        plain = json.loads(json.dumps(calibration.to_json(), allow_nan=False))
        assert Calibration.from_json(plain) == calibration
    for wrong in (
        None,
        {},
        {"temperature": {"y": "warm"}, "conformal": None},
        {"temperature": 1, "conformal": 2},
    ):
        with pytest.raises(ArtifactError, match="calibration"):
            Calibration.from_json(wrong)


def test_reliability_bins_partition_the_examples_and_hold_their_means():
    predictions, batch = _overconfident(310)
    bins = reliability(predictions["y"], batch["y"], num_bins=10)
    right = predictions["y"].argmax(axis=1) == batch["y"]
    assert [one.count for one in bins] == [31] * 10
    assert sum(one.count * one.accuracy for one in bins) == pytest.approx(right.sum())
    assert sum(one.count * one.confidence for one in bins) == pytest.approx(
        predictions["y"].max(axis=1).sum()
    )
    confidence = [one.confidence for one in bins]
    assert confidence == sorted(confidence)
    assert all(one.low <= one.accuracy <= one.high for one in bins)


def test_equal_confidences_make_one_bin():
    bins = reliability(np.tile([0.7, 0.3], (50, 1)), np.zeros(50, int))
    assert [(one.count, one.accuracy) for one in bins] == [(50, 1.0)]
