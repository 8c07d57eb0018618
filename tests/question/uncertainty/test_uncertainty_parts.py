"""The parts of a task that methods see, examples from outside, and stressed ones."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.fit.feeds import read_all
from pomona.foundation.errors import DataError, SettingError
from pomona.question.uncertainty.outside import outside
from pomona.question.uncertainty.parts import CALIBRATE, check_task, with_calibration, without_class
from pomona.question.uncertainty.shifted import shifted
from pomona.tasks.feature import Feature
from pomona.tasks.load import load_task
from pomona.tasks.source import ArraySource, SubsetSource


@pytest.fixture(scope="module")
def digits():
    return load_task("digits")


@pytest.fixture(scope="module")
def wine():
    return load_task("wine")


def test_validation_and_calibration_share_no_example_and_lose_none(digits):
    parted = with_calibration(digits)
    halves = [parted.splits[name].ids for name in ("valid", CALIBRATE)]
    assert sorted(np.concatenate(halves)) == list(range(digits.splits["valid"].size))
    assert abs(len(halves[0]) - len(halves[1])) <= 1
    assert with_calibration(parted) is parted


def test_a_class_left_out_is_in_no_part_to_learn_from(digits):
    fewer, beyond = without_class(digits, "7")
    for name, source in fewer.splits.items():
        assert 7 not in read_all(source)["digit"], name
    assert set(read_all(beyond)["digit"]) == {7}
    assert beyond.size + fewer.splits["test"].size == digits.splits["test"].size


def test_a_class_that_is_not_there_is_refused(digits):
    with pytest.raises(SettingError, match="no class of digit 'seven'"):
        without_class(digits, "seven")


def test_shuffled_columns_have_the_usual_values_in_unusual_company(wine):
    _, found = outside(wine)
    test, made = read_all(wine.splits["test"])["columns"], read_all(found["shuffled-columns"])["columns"]
    assert np.array_equal(np.sort(test, axis=0), np.sort(made, axis=0))
    assert not np.array_equal(test, made)


def test_glyphs_keep_the_range_of_the_images(digits):
    _, found = outside(digits)
    test, made = read_all(digits.splits["test"])["image"], read_all(found["glyphs"])["image"]
    assert made.shape == test.shape
    assert made.dtype == test.dtype
    assert made.min() >= test.min() - 1e-5
    assert made.max() <= test.max() + 1e-5


def test_phase_noise_has_the_spectrum_of_the_series(wine):
    series = np.random.default_rng(0).normal(size=(30, 16, 2)).astype(np.float32)
    source = ArraySource({"past": series, "target": np.zeros(30, np.int64)})
    inputs = {"past": Feature("past", "series", (16, 2))}
    task = replace(wine, inputs=inputs, splits=dict.fromkeys(("train", "valid", "test"), source))
    _, found = outside(task)
    made = read_all(found["phase-noise"])["past"]
    before, after = (np.abs(np.fft.rfft(values, axis=1))[:, 1:-1] for values in (series, made))
    np.testing.assert_allclose(before, after, rtol=1e-3, atol=1e-3)
    assert np.abs(made - series).max() > 0.5


def test_even_tokens_keep_lengths(wine):
    tokens = np.array([[3, 4, 0], [5, 0, 0]] * 20)
    source = ArraySource({"text": tokens, "target": np.zeros(40, np.int64)})
    inputs = {"text": Feature("text", "tokens", (3,), num_tokens=50)}
    task = replace(wine, inputs=inputs, splits=dict.fromkeys(("train", "valid", "test"), source))
    _, found = outside(task)
    made = read_all(found["even-tokens"])["text"]
    assert np.array_equal(made == 0, tokens == 0)
    assert len(np.unique(made)) > 20


def test_stressed_examples_are_the_same_every_time_and_few(digits):
    first, again = shifted(digits), shifted(digits)
    assert set(first) == set(again)
    assert "fog-5" in first
    assert sum(source.size for source in first.values()) <= 2000
    np.testing.assert_array_equal(read_all(first["fog-5"])["image"], read_all(again["fog-5"])["image"])


def test_few_test_examples_and_other_kinds_are_refused(digits):
    test = SubsetSource(digits.splits["test"], np.arange(5))
    with pytest.raises(DataError, match="5 test examples"):
        check_task(replace(digits, splits={**digits.splits, "test": test}))
    with pytest.raises(SettingError, match="segment"):
        check_task(load_task("shapes"))
    with pytest.raises(SettingError, match="--target"):
        check_task(load_task("linnerud"))
