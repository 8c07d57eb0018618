"""The mean of the last seasons, step by step of the season, with the quantiles of the last values."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel, Params, histories, tail
from pomona.foundation.run import Run

SEASONS = 8
FEWEST_STEPS = 28


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """Nothing is fitted."""
    return Params({})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The mean of the last eight values of each step of the season."""
    history = histories(panel, cut)
    season = panel.freq.season
    seasons = tail(history, SEASONS * season).astype(np.float64).reshape(-1, SEASONS, season)
    real = ~np.isnan(seasons)
    number = real.sum(axis=1)
    mean = np.where(real, seasons, 0).sum(axis=1) / np.maximum(number, 1)
    all_numbers = real.sum(axis=(1, 2))
    whole = np.where(real, seasons, 0).sum(axis=(1, 2)) / np.maximum(all_numbers, 1)
    mean = np.where(number > 0, mean, whole[:, None])
    return recent_forecast(history, mean[:, np.arange(panel.horizon) % season])


def recent_forecast(history: Panel, mean: Float[np.ndarray, "series horizon"]) -> Forecast:
    """A mean with the quantiles and the share of values that are not 0 of the last steps, for all steps."""
    recent = tail(history, max(FEWEST_STEPS, SEASONS * history.freq.season)).astype(np.float64)
    real = ~np.isnan(recent)
    number = real.sum(axis=1)
    ordered = np.sort(np.where(real, recent, np.inf), axis=1)
    quantiles = np.zeros((len(recent), len(QUANTILES)))
    for place, level in enumerate(QUANTILES):
        rank = np.clip(np.ceil(level * number).astype(int) - 1, 0, None)
        quantiles[:, place] = np.where(number > 0, ordered[np.arange(len(recent)), rank], 0)
    nonzero = (real & (recent != 0)).sum(axis=1) / np.maximum(number, 1)
    horizon = mean.shape[1]
    return Forecast(
        mean,
        np.repeat(quantiles[:, None], horizon, axis=1),
        np.repeat(nonzero[:, None], horizon, axis=1),
    )
