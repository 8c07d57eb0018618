"""The seasonal naive forecast: every step is as it was a season ago."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.spread import never_negative, normal_forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, tail
from pomona.find.forecasting.scores import scales_of
from pomona.foundation.run import Run

MOST_SEASONS = 8


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """Nothing is fitted."""
    return Params({})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The last season again and again; a missing value is taken from the season before.

    The deviation is that of seasonal changes in the history, and grows with the number of seasons ahead.
    """
    history = histories(panel, cut)
    season = panel.freq.season
    last = last_season(history, season)
    ahead = np.arange(panel.horizon)
    mean = last[:, ahead % season]
    squared = scales_of(panel, cut)[1]
    deviation = np.sqrt(squared)[:, None] * np.sqrt(ahead // season + 1)
    return normal_forecast(mean, deviation, never_negative(history))


def last_season(history: Panel, season: int) -> Float[np.ndarray, "series season"]:
    """The last value of each step of the season; where none is left, the mean of the series, else 0.

    The first column is the step after the end.
    """
    steps = tail(history, season * MOST_SEASONS).astype(np.float64)
    seasons = steps.reshape(len(steps), MOST_SEASONS, season)
    result = np.full((len(steps), season), np.nan)
    for index in range(MOST_SEASONS):
        result = np.where(np.isnan(seasons[:, index]), result, seasons[:, index])
    known = ~np.isnan(result)
    number = known.sum(axis=1, keepdims=True)
    mean = np.where(known, result, 0).sum(axis=1, keepdims=True) / np.maximum(number, 1)
    return np.where(known, result, mean)
