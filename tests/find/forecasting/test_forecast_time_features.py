"""The clock's features come round when the clock does, in every panel alike."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_samples import panel_of, waves

from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.time_features import time_features


def clock(freq: Frequency, origin: str, zone: str | None = None):
    return replace(panel_of(waves(1)), freq=freq, origin=np.datetime64(origin, "s"), zone=zone)


def test_the_same_weekday_has_the_same_features_whenever_a_panel_begins():
    freq = Frequency("day", 1, (7,))
    # both days are Mondays
    first = time_features(clock(freq, "2024-01-01"), np.arange(14))
    other = time_features(clock(freq, "2023-12-25"), np.arange(14))
    np.testing.assert_allclose(first[:, :6], other[:, :6], atol=1e-6)
    np.testing.assert_allclose(first[:7, :6], first[7:, :6], atol=1e-6)
    assert np.abs(first[0, :6] - first[1, :6]).max() > 0.1


@pytest.mark.parametrize(("unit", "season"), [("month", 12), ("quarter", 4), ("step", 6)])
def test_a_season_of_months_or_numbers_comes_round(unit, season):
    found = time_features(clock(Frequency(unit, 1, (season,)), "2020-03-01"), np.arange(3 * season))
    np.testing.assert_allclose(found[:season], found[season : 2 * season], atol=1e-6)
    assert len(np.unique(found[:season].round(5), axis=0)) == season


def test_hours_follow_the_clock_on_the_wall_through_daylight_saving():
    freq = Frequency("hour", 1, (24,))
    panel = clock(freq, "2024-03-30T23:00:00", "Europe/Vienna")
    found = time_features(panel, np.arange(0, 48, 24))
    # midnight before the change, one o'clock after it
    later = time_features(panel, np.array([23]))
    np.testing.assert_allclose(found[0, :6], later[0, :6], atol=1e-6)


def test_years_have_no_features():
    assert time_features(clock(Frequency("year"), "2000-01-01"), np.arange(5)).shape == (5, 0)
