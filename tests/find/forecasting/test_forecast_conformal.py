"""Corrected quantiles cover as often as they say."""

import numpy as np
import pytest

from pomona.find.forecasting.conformal import Correction, calibrate, corrected, coverage
from pomona.find.forecasting.problem import QUANTILES, Forecast


def too_narrow(random: np.random.Generator, num_series: int, horizon: int):
    """Series of unlike sizes whose noise grows with the step, and a forecast that thinks it small."""
    sizes = np.exp(random.standard_normal(num_series))
    noise = np.arange(1, horizon + 1) ** 0.5
    truth = sizes[:, None] * noise * random.standard_normal((num_series, horizon)) + 0.5 * sizes[:, None]
    levels = np.array([-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28])
    quantiles = 0.3 * sizes[:, None, None] * np.broadcast_to(levels, (num_series, horizon, 9))
    return Forecast(quantiles[:, :, 4], quantiles), truth, sizes


def test_every_level_is_covered_as_often_as_it_says():
    random = np.random.default_rng(0)
    past = [too_narrow(random, 300, 4) for _ in range(3)]
    correction = calibrate(*map(list, zip(*past, strict=True)))
    forecast, truth, sizes = too_narrow(random, 4000, 4)
    moved = corrected(forecast, correction, sizes)
    assert (np.diff(moved.quantiles, axis=2) >= 0).all()
    below = (truth[:, :, None] <= moved.quantiles).mean(0)
    np.testing.assert_allclose(below, np.broadcast_to(QUANTILES, (4, 9)), atol=0.04)
    assert coverage([forecast], [truth]) < 0.4
    assert coverage([moved], [truth]) == pytest.approx(0.8, abs=0.03)


def test_with_one_group_of_errors_the_guarantee_of_conformal_prediction_holds_on_average():
    """With n errors, the chance to lie at or below level t is at least t and at most t + 1 / (n + 1)."""
    random, shares = np.random.default_rng(1), []
    for _ in range(200):
        errors = random.standard_exponential((399, 1))
        flat = Forecast(np.zeros((399, 1)), np.zeros((399, 1, 9)))
        shift = calibrate([flat], [errors], [np.ones(399)]).shift[0]
        shares.append((random.standard_exponential((200, 1)) <= shift).mean(0))
    mean = np.mean(shares, 0)
    # a share of 399/400 of the correction is taken
    np.testing.assert_allclose(mean, QUANTILES, atol=0.01)


def test_few_errors_change_nothing_and_ties_at_the_quantile_neither():
    forecast, truth, sizes = too_narrow(np.random.default_rng(2), 5, 2)
    assert not calibrate([forecast], [truth], [sizes]).shift.any()
    zeros = Forecast(np.zeros((500, 2)), np.zeros((500, 2, 9)))
    truth = (np.random.default_rng(3).random((500, 2)) < 0.05).astype(float)
    assert not calibrate([zeros], [truth], [np.ones(500)]).shift.any()


def test_few_windows_of_few_series_move_quantiles_inwards_as_well_as_outwards():
    """Errors of 15 windows of 4 series that could have come in any order: 60 for each step of the horizon."""
    shares = []
    for seed in range(10):
        random = np.random.default_rng([6, seed])
        sizes = np.exp(random.standard_normal(4))
        truths = [sizes[:, None] * random.standard_normal((4, 24)) for _ in range(115)]
        levels = np.array([-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28])
        wide = 3 * sizes[:, None, None] * np.broadcast_to(levels, (4, 24, 9))
        said = Forecast(wide[..., 4], wide)
        correction = calibrate([said] * 15, truths[:15], [sizes] * 15)
        moved = corrected(said, correction, sizes)
        assert coverage([said] * 100, truths[15:]) > 0.99
        shares.append(coverage([moved] * 100, truths[15:]))
    assert np.mean(shares) == pytest.approx(0.8, abs=0.01)


def test_new_windows_with_weather_of_their_own_are_held_by_intervals_of_few_windows():
    """An error is a shock of its window and as much noise of its series; six shocks say little of another."""
    wide, plain = [], []
    for seed in range(150):
        random = np.random.default_rng([7, seed])
        errors = random.standard_normal((7, 1, 1)) + random.standard_normal((7, 100, 1))
        flat = Forecast(np.zeros((100, 1)), np.zeros((100, 1, 9)))
        correction = calibrate([flat] * 6, errors[:6], [np.ones(100)] * 6)
        # all in one window: nothing to leave out
        together = Forecast(np.zeros((600, 1)), np.zeros((600, 1, 9)))
        one = calibrate([together], [errors[:6].reshape(600, 1)], [np.ones(600)])
        wide.append(coverage([corrected(flat, correction, np.ones(100))], [errors[6]]))
        plain.append(coverage([corrected(flat, one, np.ones(100))], [errors[6]]))
    assert np.mean(plain) < 0.77
    assert np.mean(wide) == pytest.approx(0.8, abs=0.03)


def test_series_without_a_size_and_unknown_values_are_left_out():
    forecast, truth, sizes = too_narrow(np.random.default_rng(4), 600, 2)
    whole = calibrate([forecast], [truth], [sizes])
    truth, sizes = np.concatenate([truth, 1e9 * truth]), np.concatenate([sizes, np.full(600, np.nan)])
    both = Forecast(np.tile(forecast.mean, (2, 1)), np.tile(forecast.quantiles, (2, 1, 1)))
    again = calibrate([both], [truth], [sizes])
    np.testing.assert_array_equal(again.shift, whole.shift)
    moved = corrected(both, again, sizes)
    np.testing.assert_array_equal(moved.quantiles[600:], both.quantiles[600:])
    plain = Correction.from_json(again.to_json())
    np.testing.assert_array_equal(plain.shift, again.shift)


def test_what_cannot_be_negative_stays_so():
    forecast, truth, sizes = too_narrow(np.random.default_rng(5), 600, 2)
    moved = corrected(forecast, calibrate([forecast], [truth], [sizes]), sizes, is_nonnegative=True)
    assert moved.quantiles.min() == 0


def test_quantiles_of_counts_below_a_half_are_zero_and_the_order_stays():
    values = np.array([[[-0.5, 0.0, 0.3, 0.5, 0.6, 0.9, 1.0, 1.5, 7.0]]])
    correction = Correction(np.zeros((1, 9)), 100, is_count=True)
    said = corrected(Forecast(values[..., 0], values), correction, np.ones(1))
    assert said.quantiles[0, 0] == pytest.approx([0, 0, 0, 0, 0.2, 0.8, 1.0, 1.5, 7.0])
    assert Correction.from_json(correction.to_json()).is_count
