"""Measures of probabilities: closed forms, brute force, and what their intervals claim."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pomona.foundation.errors import DataError
from pomona.question.uncertainty.measures.calibration import (
    binned_error,
    calibration_interval,
    debiased_error,
    equal_mass_error,
    width_bins,
)
from pomona.question.uncertainty.measures.detection import detection
from pomona.question.uncertainty.measures.disagreement import disagreement
from pomona.question.uncertainty.measures.selective import risk_curve
from pomona.question.uncertainty.measures.table import MEASURES, measure
from pomona.question.uncertainty.said import Said, said_of, said_of_members


def binary(
    confidence: np.ndarray, accuracy: np.ndarray, generator: np.random.Generator
) -> tuple[Said, np.ndarray]:
    """Two classes, the first one said with `confidence` and true with chance `accuracy`."""
    said = said_of(np.stack([confidence, 1 - confidence], axis=1))
    return said, (generator.random(len(confidence)) >= accuracy).astype(np.int64)


def test_the_debiased_error_of_a_calibrated_classifier_is_smaller_by_a_third():
    generator = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(200):
        confidence = generator.uniform(0.5, 1, 300)
        said, truth = binary(confidence, confidence, generator)
        plain.append(equal_mass_error(said, truth))
        debiased.append(debiased_error(said, truth))
    assert np.mean(plain) > 0.05
    assert np.mean(debiased) < 0.67 * np.mean(plain)


def test_the_calibration_interval_holds_the_true_error_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    held = []
    for _ in range(150):
        confidence = generator.uniform(0.6, 1, 400)
        said, truth = binary(confidence, confidence - 0.1, generator)
        interval = calibration_interval(said, truth, generator)
        assert interval is not None
        held.append(interval.low <= 0.1 <= interval.high)
    assert np.mean(held) > 0.88


def test_bins_of_equal_width_are_closed_above():
    assert width_bins(np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 1.0])).tolist() == [0, 0, 1, 14]


def test_one_bin_has_the_distance_of_the_means():
    confidence, truth = np.array([0.9, 0.7, 0.8]), np.array([1.0, 0.0, 1.0])
    assert binned_error(confidence, truth, np.zeros(3, np.int64)) == pytest.approx(abs(2 / 3 - 0.8))


def test_the_order_of_examples_changes_no_measure():
    generator = np.random.default_rng(2)
    members = np.round(generator.dirichlet(np.ones(4), (3, 90)), 1)
    truth, order = generator.integers(0, 4, 90), generator.permutation(90)
    here = measure(said_of_members(members), truth).values
    there = measure(said_of_members(members[:, order]), truth[order]).values
    assert here == pytest.approx(there)


def test_equal_scores_share_their_errors():
    wrong = np.array([1.0, 0, 0, 1])
    means = [np.cumsum(np.array(order)) / np.arange(1, 5) for order in itertools.permutations(wrong.tolist())]
    assert risk_curve(np.zeros(4), wrong) == pytest.approx(np.mean(means, axis=0))


def test_a_perfect_score_leaves_all_errors_to_the_end():
    assert risk_curve(np.array([0.1, 0.2, 0.3, 0.9]), np.array([0.0, 0, 0, 1])).tolist() == [0, 0, 0, 0.25]


def test_detection_is_that_of_scikit_learn():
    generator = np.random.default_rng(3)
    inside, outside = np.round(generator.normal(0, 1, 80), 1), np.round(generator.normal(1, 1, 50), 1)
    truth, score = np.repeat([0, 1], [80, 50]), np.concatenate([inside, outside])
    found = detection(inside, outside)
    assert found.auroc == pytest.approx(roc_auc_score(truth, score))
    assert found.aupr == pytest.approx(average_precision_score(truth, score))
    reached = min(s for s in score if (outside >= s).mean() < 0.95)
    assert found.fpr95 == (inside >= np.sort(outside[outside < reached])[-1]).mean()


def test_detection_refuses_no_examples():
    with pytest.raises(DataError, match="inside"):
        detection(np.zeros(0), np.ones(3))


def test_disagreement_is_that_of_all_pairs():
    members = np.random.default_rng(4).dirichlet(np.ones(3), (5, 40))
    named = members.argmax(-1)
    pairs = [(named[i] != named[j]).mean() for i, j in itertools.combinations(range(5), 2)]
    assert disagreement(said_of_members(members), np.zeros(40, np.int64)) == pytest.approx(np.mean(pairs))


def test_what_has_no_meaning_is_absent():
    probabilities, truth = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0])
    values = measure(said_of(probabilities), truth).values
    assert not {"coverage", "set_size", "worst_class_coverage", "disagreement", "error_auroc"} & set(values)
    assert values["accuracy"] == 1
    assert "disagreement" in measure(said_of_members(np.stack([probabilities] * 2)), truth).values


def test_coverage_and_size_count_the_sets():
    sets = np.array([[True, False, True], [False, True, False], [False, False, False]])
    values = measure(said_of(np.full((3, 3), 1 / 3), sets=sets), np.array([0, 0, 0])).values
    assert values["coverage"] == pytest.approx(1 / 3)
    assert values["set_size"] == pytest.approx(1)


def test_every_measure_says_what_it_is_and_which_way_is_better():
    for kind in MEASURES:
        for name, one in MEASURES[kind].items():
            assert one.name == name
            assert one.formula
            assert one.greater_is_better in (True, False, None)


def test_intervals_hold_their_value():
    generator = np.random.default_rng(5)
    members = generator.dirichlet(np.ones(4), (3, 200))
    measured = measure(said_of_members(members), generator.integers(0, 4, 200))
    assert {"nll", "brier", "accuracy", "ece"} <= set(measured.intervals)
    for name in ("nll", "brier", "accuracy"):
        interval = measured.intervals[name]
        assert interval.low <= measured.values[name] <= interval.high
