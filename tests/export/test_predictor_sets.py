"""Conformal sets and intervals of saved models are those that calibration on held-out examples made."""

import numpy as np
import pytest

from pomona.export import load, save_network
from pomona.fit.calibration import calibrate
from pomona.foundation.errors import ArtifactError, SettingError
from pomona.foundation.statistics.conformal import prediction_interval, prediction_set
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.tasks import load_task


def calibrated(name: str, folder, coverage: float = 0.8):
    """A saved network of random weights, calibrated on validation; its calibration; raw test records."""
    task = load_task(name)
    spec = default_spec(task)
    state = build(spec, 0).state_dict()
    bare = load(save_network(folder / "bare", task, spec, state))
    valid = task.splits["valid"].read(np.arange(task.splits["valid"].size))
    calibration = calibrate(task, bare.predict_batch(valid), valid, coverage=coverage)
    saved = save_network(folder / "m", task, spec, state, calibration=calibration.to_json())
    generator = np.random.default_rng(0)
    data = {column: generator.uniform(-1, 8, 400) for column in task.preprocessing.columns}
    return task, load(saved), calibration, data


def test_sets_are_those_of_the_calibration(tmp_path):
    task, model, calibration, data = calibrated("iris", tmp_path)
    inside = prediction_set(calibration.conformal["species"], model.predict_proba(data))
    classes = task.targets["species"].classes
    wanted = [[classes[index] for index in np.flatnonzero(row)] for row in inside]
    assert model.predict_set(data) == wanted
    assert len({len(one) for one in wanted}) > 1, "the test shows nothing when all sets are alike"


def test_intervals_are_those_of_the_calibration(tmp_path):
    _, model, calibration, data = calibrated("diabetes", tmp_path, coverage=0.5)
    low, high = model.predict_interval(data)
    (conformal,) = calibration.conformal.values()
    wanted = prediction_interval(conformal, model.predict_proba(data))
    np.testing.assert_allclose(low, wanted[0])
    np.testing.assert_allclose(high, wanted[1])
    assert np.isfinite(low).all()
    assert (low < high).all()


def test_with_too_few_examples_everything_is_inside(tmp_path):
    _, model, _, data = calibrated("diabetes", tmp_path, coverage=0.999)
    low, high = model.predict_interval(data)
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()


def test_a_model_without_calibration_or_of_the_other_kind_says_so(tmp_path):
    _, model, _, data = calibrated("iris", tmp_path)
    with pytest.raises(SettingError, match="least-ambiguous gives sets of classes, not intervals"):
        model.predict_interval(data)
    with pytest.raises(ArtifactError, match="no conformal calibration of 'species'"):
        load(tmp_path / "bare").predict_set(data)
