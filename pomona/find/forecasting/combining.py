"""Forecasts from forecasts: medians, weighted means, and what is said of series without any history."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from pomona.find.forecasting.problem import Forecast


def median_forecast(forecasts: Sequence[Forecast]) -> Forecast:
    """The median of means and of each quantile."""
    mean = np.median(np.stack([one.mean for one in forecasts]), axis=0)
    quantiles = np.median(np.stack([one.quantiles for one in forecasts]), axis=0)
    return Forecast(mean, np.sort(quantiles, axis=-1))


def for_newcomers(
    forecast: Forecast,
    is_new: np.ndarray,
    traits: Int[np.ndarray, "series trait"],
    like: Forecast,
    like_traits: Int[np.ndarray, "other trait"],
) -> Forecast:
    """The forecast with those of new series replaced by the mean of the series most like each.

    Most alike are those that share most traits, which are codes of categories, −1 for unknown.
    """
    mean, quantiles = forecast.mean.copy(), forecast.quantiles.copy()
    nonzero = None if forecast.nonzero is None else forecast.nonzero.copy()
    for series in np.flatnonzero(is_new):
        shared = (like_traits == traits[series]) & (traits[series] >= 0)
        count = shared.sum(axis=1)
        alike = count == count.max(initial=0)
        mean[series] = like.mean[alike].mean(axis=0)
        quantiles[series] = like.quantiles[alike].mean(axis=0)
        if nonzero is not None and like.nonzero is not None:
            nonzero[series] = like.nonzero[alike].mean(axis=0)
    return replace(forecast, mean=mean, quantiles=quantiles, nonzero=nonzero)
