"""Quantiles are calibrated on the last weeks and, for few series of hours, on this time of the last year."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_samples import panel_of

from pomona.find.forecasting.conformal import calibrate
from pomona.find.forecasting.engine import find_forecast
from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.members import naive
from pomona.find.forecasting.problem import Params, histories, truth
from pomona.find.forecasting.scores import scale_of
from pomona.find.forecasting.settings import ForecastSettings
from pomona.find.forecasting.validation import origins_a_year_before, rolling_origins
from pomona.foundation.run import temporary_run

DAY, YEAR = 24, 364 * 24


def hourly(num_series=2, days=800, seed=0, horizon=4):
    """Series of noise around 10."""
    random = np.random.default_rng(seed)
    series = [10 + random.standard_normal(days * DAY) for _ in range(num_series)]
    return replace(panel_of(series, horizon=horizon), freq=Frequency("hour", 1, (DAY, 7 * DAY)))


def test_windows_of_a_year_before_are_whole_weeks_away_and_three_horizons_to_both_sides():
    panel = hourly()
    origins = origins_a_year_before(panel, None)
    assert origins is not None
    back = [(panel.ends - cut).tolist() for cut in origins.cuts]
    assert back == [[YEAR - place * 4] * 2 for place in (-3, -2, -1, 0, 1, 2, 3)]
    for cut, true in zip(origins.cuts, origins.truths, strict=True):
        np.testing.assert_array_equal(true, truth(panel, cut))


@pytest.mark.parametrize(
    ("panel", "windows"),
    [
        pytest.param(hourly(), 3, id="windows asked for"),
        pytest.param(hourly(days=500), None, id="too little before"),
        pytest.param(hourly(num_series=25), None, id="many series"),
        pytest.param(hourly(horizon=14 * DAY), None, id="usual windows reach far"),
        pytest.param(panel_of([np.arange(400.0)], horizon=2), None, id="quarters"),
        pytest.param(panel_of([np.zeros(0)]), None, id="nothing"),
    ],
)
def test_otherwise_there_are_none(panel, windows):
    assert origins_a_year_before(panel, windows) is None


def test_the_correction_is_that_of_all_windows_by_the_scale_before_each():
    panel, said, true, sizes = hourly(), [], [], []
    before = origins_a_year_before(panel, None)
    assert before is not None
    for cut in (*rolling_origins(panel, None).cuts, *before.cuts):
        said.append(naive.predict(Params({}), histories(panel, cut), cut))
        true.append(truth(panel, cut))
        sizes.append(scale_of(panel, cut))
    with temporary_run() as run:
        found = find_forecast(panel, ForecastSettings(members="seasonal-naive"), run=run)
    expected = calibrate(said, true, sizes)
    assert found.correction.num_errors == 2 * 22
    assert np.abs(expected.shift).max() > 0.01
    np.testing.assert_allclose(found.correction.shift, expected.shift, atol=1e-12)


def test_intervals_hold_noise_that_comes_back_with_the_year():
    """Noise is five times as large in two weeks of each year, which the forecast lies in."""
    random, panel = np.random.default_rng(3), hourly(6, seed=3, horizon=12)
    steps = np.arange(len(panel.values)) % (800 * DAY)
    is_loud = (steps - (800 * DAY - 2 * YEAR)) % YEAR >= YEAR - 7 * DAY
    is_loud |= (steps - (800 * DAY - 2 * YEAR)) % YEAR < 7 * DAY
    loud = replace(panel, values=np.where(is_loud, 10 + 5 * (panel.values - 10), panel.values))
    cut = loud.ends - 7 * DAY
    past, shares = histories(loud, cut), {}
    with temporary_run() as run:
        found = find_forecast(past, ForecastSettings(members="seasonal-naive"), run=run)
        asked = find_forecast(
            past, ForecastSettings(members="seasonal-naive", windows=15), run=run.child("asked")
        )
    future = 10 + 5 * random.standard_normal((500, 6, 12))
    for name, one in (("year", found), ("weeks", asked)):
        quantiles = one.forecast.quantiles
        shares[name] = ((future >= quantiles[..., 0]) & (future <= quantiles[..., -1])).mean()
    assert shares["weeks"] < shares["year"] - 0.1
