"""The mean of what sums over one step, two steps and so on say, for demand with many zeros (IMAPA)."""

from typing import Any

import numpy as np
from jaxtyping import Int64

from pomona.find.forecasting.members.aggregation import fitted_sums, rates
from pomona.find.forecasting.members.recent import recent_forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories
from pomona.foundation.run import Run


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The smoothed sums at the cut."""
    return fitted_sums(panel, cut)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The mean of all widths, the same for all steps, with quantiles of the last values."""
    said, widest = rates(params, panel, cut)
    counts = np.arange(1, said.shape[1] + 1) <= widest[:, None]
    mean = np.where(counts, said, 0).sum(axis=1) / widest
    return recent_forecast(histories(panel, cut), np.repeat(mean[:, None], panel.horizon, axis=1))
