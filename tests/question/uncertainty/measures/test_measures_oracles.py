"""Measures against torch-uncertainty, netcal, uncertainty-calibration and MAPIE on the same predictions."""

from pathlib import Path

import numpy as np
import pytest

from pomona.fit.temperature import fit_temperature, temper
from pomona.foundation.statistics import (
    conformal_classes,
    conformal_numbers,
    prediction_interval,
    prediction_set,
)
from pomona.question.uncertainty.measures.calibration import debiased_error
from pomona.question.uncertainty.measures.detection import detection
from pomona.question.uncertainty.measures.likelihood import is_right
from pomona.question.uncertainty.measures.selective import risk_curve
from pomona.question.uncertainty.measures.table import measure
from pomona.question.uncertainty.said import said_of_members

FIXTURE = Path(__file__).parents[3] / "oracles" / "uncertainty_measures.npz"


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    return dict(np.load(FIXTURE))


def test_likelihood_and_calibration_are_those_of_torch_uncertainty_and_netcal(recorded):
    values = measure(said_of_members(recorded["members"]), recorded["truth"]).values
    assert values["nll"] == pytest.approx(float(recorded["tu_nll"]), rel=1e-6)
    assert values["brier"] == pytest.approx(float(recorded["tu_brier"]), rel=1e-6)
    assert values["ece_equal_width"] == pytest.approx(float(recorded["tu_ece"]), rel=1e-5)
    assert values["ece_equal_width"] == pytest.approx(float(recorded["netcal_ece"]), rel=1e-6)


def test_scores_and_disagreement_of_members_are_those_of_torch_uncertainty(recorded):
    said = said_of_members(recorded["members"])
    values = measure(said, recorded["truth"]).values
    assert said.scores["entropy"].mean() == pytest.approx(float(recorded["tu_entropy"]), rel=1e-5)
    shared = said.scores["mutual-information"].mean()
    assert shared == pytest.approx(float(recorded["tu_mutual_information"]), rel=1e-5)
    assert values["disagreement"] == pytest.approx(float(recorded["tu_disagreement"]), rel=1e-5)


def test_the_risk_curve_has_the_area_that_torch_uncertainty_finds_by_trapezoids(recorded):
    said = said_of_members(recorded["members"])
    risks = risk_curve(said.scores["max-probability"], 1 - is_right(said, recorded["truth"]))
    trapezoids = (risks.sum() - (risks[0] + risks[-1]) / 2) / (len(risks) - 1)
    assert trapezoids == pytest.approx(float(recorded["tu_aurc"]), rel=1e-5)


def test_the_false_positive_rate_is_that_of_torch_uncertainty(recorded):
    found = detection(recorded["inside"], recorded["outside"])
    assert found.fpr95 == pytest.approx(float(recorded["tu_fpr95"]), abs=1e-6)


def test_the_debiased_error_is_what_uncertainty_calibration_draws(recorded):
    said = said_of_members(recorded["members"])
    values = measure(said, recorded["truth"]).values
    assert values["ece"] == pytest.approx(float(recorded["uc_plain"]), rel=0.02)
    assert debiased_error(said, recorded["truth"]) == pytest.approx(float(recorded["uc_debiased"]), abs=0.003)


def test_conformal_sets_and_intervals_are_those_of_mapie(recorded):
    probabilities, truth = recorded["members"].mean(0), recorded["truth"]
    half = len(truth) // 2
    plain = conformal_classes(probabilities[:half], truth[:half])
    assert (prediction_set(plain, probabilities[half:]) == recorded["mapie_lac"]).all()
    numbers = conformal_numbers(recorded["mean"][:half], recorded["value"][:half])
    ends = np.stack(prediction_interval(numbers, recorded["mean"][half:]), axis=1)
    assert ends == pytest.approx(recorded["mapie_interval"], rel=1e-6)


def test_adaptive_sets_are_no_larger_than_those_of_mapie_and_cover_enough(recorded):
    probabilities, truth = recorded["members"].mean(0), recorded["truth"]
    half = len(truth) // 2
    adaptive = conformal_classes(probabilities[:half], truth[:half], score="adaptive")
    sets, theirs = prediction_set(adaptive, probabilities[half:]), recorded["mapie_aps"]
    # MAPIE counts the last class whole
    assert sets.sum(1).mean() <= theirs.sum(1).mean()
    assert sets[np.arange(half), truth[half:]].mean() > 0.87


def test_temperatures_are_those_of_netcal_up_to_the_example_that_is_counted_in(recorded):
    mean, truth = recorded["members"].mean(0), recorded["truth"]
    tempered = temper("classify", mean, fit_temperature(mean, truth))
    np.testing.assert_allclose(tempered, recorded["netcal_tempered"], atol=0.01)
    assert np.abs(mean - tempered).max() > 0.05
