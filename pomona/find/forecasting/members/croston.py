"""Croston's method with the correction of Syntetos and Boylan (2005), for demand with many zeros.

The size of a demand and the steps between two are smoothed apart, by a tenth of each new one; the forecast is
.95 sizes by intervals, the same for all steps.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.recent import recent_forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories
from pomona.foundation.run import Run

SMOOTHING = 0.1
SHRINKING = 0.95

Demand = dict[str, np.ndarray]


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The smoothed sizes and intervals at the cut."""
    history = histories(panel, cut)
    state = moved(begun(panel.num_series), history, history.start, cut)
    return Params({**state, "cut": np.asarray(cut, np.int64)})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The ratio of size and interval, with quantiles of the last values."""
    history = histories(panel, cut)
    rows = history.fitted_as.copy()
    is_fitted = rows >= 0
    is_fitted[is_fitted] = params.arrays["cut"][rows[is_fitted]] <= cut[is_fitted]
    state, first = begun(panel.num_series), history.start.copy()
    for name, column in state.items():
        column[is_fitted] = params.arrays[name][rows[is_fitted]]
    first[is_fitted] = params.arrays["cut"][rows[is_fitted]]
    state = moved(state, history, first, cut)
    return recent_forecast(history, np.repeat(rate(state)[:, None], panel.horizon, axis=1))


def begun(num_series: int) -> Demand:
    """The state of series of which nothing was seen."""
    zeros = np.zeros(num_series)
    return {"size": zeros.copy(), "interval": zeros.copy(), "since": zeros + 1, "is_begun": zeros.copy()}


def rate(state: Demand) -> Float[np.ndarray, " series"]:
    """What is expected of each step; 0 before the first demand."""
    safe = np.maximum(state["interval"], 1e-9)
    return np.where(state["is_begun"] > 0, SHRINKING * state["size"] / safe, 0.0)


def moved(
    state: Demand, history: Panel, first: Int64[np.ndarray, " series"], last: Int64[np.ndarray, " series"]
) -> Demand:
    """The state after the values of the steps from `first` to `last`, which is left out, and missing ones."""
    for passed in range(int((last - first).max(initial=0))):
        step = first + passed
        inside = (step >= history.start) & (step < history.ends) & (step < last)
        places = np.where(inside, history.offsets[:-1] + step - history.start, 0)
        value = np.where(inside, history.values[places] if len(history.values) else np.nan, np.nan)
        state = _after(state, value)
    return state


def _after(state: Demand, value: Float[np.ndarray, " series"]) -> Demand:
    is_demand, is_there = np.nan_to_num(value) != 0, ~np.isnan(value)
    is_first = is_demand & (state["is_begun"] == 0)
    size = state["size"] + SMOOTHING * (np.nan_to_num(value) - state["size"])
    interval = state["interval"] + SMOOTHING * (state["since"] - state["interval"])
    return {
        "size": np.where(is_first, value, np.where(is_demand, size, state["size"])),
        "interval": np.where(is_first, state["since"], np.where(is_demand, interval, state["interval"])),
        "since": np.where(is_demand, 1.0, state["since"] + is_there),
        "is_begun": np.maximum(state["is_begun"], is_demand),
    }
