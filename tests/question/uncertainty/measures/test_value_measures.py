"""Measures of foretold values against numerical integrals, simulation and the true distribution."""

import numpy as np
import pytest
from scipy import integrate, stats

from pomona.question.uncertainty.measures.gaussian import gaussian_crps, gaussian_nats
from pomona.question.uncertainty.measures.quantiles import quantile
from pomona.question.uncertainty.measures.table import measure
from pomona.question.uncertainty.said import QUANTILE_LEVELS, SaidValues


def drawn(num_examples: int = 4000) -> tuple[SaidValues, np.ndarray]:
    generator = np.random.default_rng(0)
    mean, deviation = generator.normal(size=num_examples), generator.uniform(0.5, 2, num_examples)
    return SaidValues(mean, deviation), generator.normal(mean, deviation)


def test_the_likelihood_is_that_of_scipy():
    said, truth = drawn(50)
    assert gaussian_nats(said, truth) == pytest.approx(-stats.norm.logpdf(truth, said.mean, said.deviation))


def test_crps_is_the_integral_of_the_squared_distance_of_distributions():
    said, truth = SaidValues(np.array([1.0]), np.array([0.7])), np.array([1.9])

    def gap(x: float) -> float:
        return (stats.norm.cdf(x, 1.0, 0.7) - (x >= 1.9)) ** 2

    wanted = integrate.quad(gap, -8, 1.9)[0] + integrate.quad(gap, 1.9, 10)[0]
    assert gaussian_crps(said, truth) == pytest.approx([wanted], rel=1e-6)


def test_crps_without_deviation_is_the_absolute_error():
    said = SaidValues(np.zeros(3), np.zeros(3))
    assert gaussian_crps(said, np.array([-1.0, 0.0, 2.0])) == pytest.approx([1, 0, 2], abs=1e-9)


def test_the_true_distribution_has_honest_intervals_and_quantiles():
    said, truth = drawn()
    values = measure(said, truth).values
    assert values["coverage"] == pytest.approx(0.9, abs=0.02)
    assert values["quantile_error"] < 0.01
    too_sure = measure(SaidValues(said.mean, said.deviation * 0.5), truth).values
    assert too_sure["quantile_error"] > 0.08
    for name in ("nll", "crps", "pinball", "interval_score"):
        assert values[name] < too_sure[name]


def test_quantiles_of_a_normal_distribution_give_its_own_values():
    said, truth = drawn(300)
    quantiles = {level: quantile(said, level) for level in QUANTILE_LEVELS}
    by_quantiles = measure(SaidValues(said.mean, quantiles=quantiles), truth).values
    by_deviation = measure(said, truth).values
    for name in ("pinball", "coverage", "width", "interval_score", "rmse", "mae"):
        assert by_quantiles[name] == pytest.approx(by_deviation[name])
    assert "nll" not in by_quantiles
    assert "crps" not in by_quantiles


def test_a_mean_alone_has_errors_only():
    values = measure(SaidValues(np.zeros(5)), np.arange(5.0)).values
    assert set(values) == {"rmse", "mae"}


def test_several_numbers_an_example_count_alike():
    said = SaidValues(np.zeros((4, 2)), np.ones((4, 2)))
    truth = np.arange(8.0).reshape(4, 2)
    measured = measure(said, truth)
    assert measured.values["mae"] == pytest.approx(3.5)
    assert measured.intervals["nll"].low <= measured.values["nll"] <= measured.intervals["nll"].high


def test_an_endless_interval_has_no_width():
    endless = (np.full(3, -np.inf), np.full(3, np.inf))
    values = measure(SaidValues(np.zeros(3), interval=endless), np.ones(3)).values
    assert values["coverage"] == 1
    assert "width" not in values


def test_quantiles_between_those_that_are_said_are_on_the_line_and_none_are_beyond():
    said = SaidValues(np.zeros(1), quantiles={0.1: np.array([1.0]), 0.3: np.array([3.0])})
    between = quantile(said, 0.15)
    assert between == pytest.approx([1.5])
    assert quantile(said, 0.3) == pytest.approx([3.0])
    assert quantile(said, 0.05) is None
    assert quantile(said, 0.5) is None
