"""Quantiles around a mean: from a standard deviation for each step."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtri

from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel


def normal_forecast(
    mean: Float[np.ndarray, "series horizon"],
    deviation: Float[np.ndarray, "series horizon"],
    is_positive: Bool[np.ndarray, " series"],
) -> Forecast:
    """Normal quantiles; nothing below 0 is said of a series that never was."""
    quantiles = mean[..., None] + deviation[..., None] * ndtri(np.array(QUANTILES))
    floor = np.where(is_positive, 0.0, -np.inf)[:, None]
    return Forecast(np.maximum(mean, floor), np.maximum(quantiles, floor[..., None]))


def never_negative(history: Panel) -> Bool[np.ndarray, " series"]:
    """Which series have no value below 0."""
    result = np.ones(history.num_series, bool)
    has = history.lengths > 0
    if has.any():
        filled = np.where(np.isnan(history.values), 0, history.values)
        result[has] = np.minimum.reduceat(filled, history.offsets[:-1][has]) >= 0
    return result
