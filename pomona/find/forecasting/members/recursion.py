"""What exponential smoothing in all its forms shares: a state for each series, moved on value by value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.spread import never_negative, normal_forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories

State = dict[str, np.ndarray]
"""Arrays with one row a series: what was fitted, and what moves on."""


class Recursion(Protocol):
    """One kind of smoothing, for all series at once."""

    def ahead(self, state: State, horizon: int) -> Float[np.ndarray, "series horizon"]:
        """The means of the next steps."""
        ...

    def advance(self, state: State, value: Float[np.ndarray, " series"]) -> State:
        """The state after a value."""
        ...

    def start(self, history: Panel) -> tuple[State, int]:
        """A usual state for series that were not fitted, and how many steps from their end it stands."""
        ...


@dataclass(frozen=True)
class Placed:
    """Where the values of some series lie that a state has not seen yet."""

    first: Int64[np.ndarray, " series"]
    """Step of the first one."""
    last: Int64[np.ndarray, " series"]
    """The cut."""


def forecast(
    recursion: Recursion, params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]
) -> Forecast:
    """The forecast from states that are moved on from where they were fitted to the cut.

    `params.arrays` are a State with the entries `deviation`, of the error of one step (of its mean, where
    `is_relative`), and `cut`, the step up to which each series was seen. A series that was not fitted, or
    only with values after its cut, begins with the usual state of the recursion.
    """
    history = histories(panel, cut)
    state, first = _states(recursion, params.arrays, history, cut)
    state = _moved(recursion, state, history, Placed(first, cut))
    mean = recursion.ahead(state, panel.horizon)
    deviation = _deviation(recursion, state, mean)
    return normal_forecast(mean, deviation, never_negative(history))


def _states(
    recursion: Recursion, arrays: Mapping[str, np.ndarray], history: Panel, cut: np.ndarray
) -> tuple[State, np.ndarray]:
    rows = history.fitted_as
    is_fitted = rows >= 0
    is_fitted[is_fitted] = arrays["cut"][rows[is_fitted]] <= cut[is_fitted]
    state, back = recursion.start(history)
    # two entries may begin as one array, and each is written to
    state = {name: column.copy() for name, column in state.items()}
    first = np.maximum(history.ends - back, history.start)
    chosen = rows[is_fitted]
    for name, column in state.items():
        if name in arrays:
            column[is_fitted] = arrays[name][chosen]
    first[is_fitted] = arrays["cut"][chosen]
    return state, first


def _moved(recursion: Recursion, state: State, history: Panel, placed: Placed) -> State:
    """The state after all values in between; a missing one is as it was expected."""
    number = placed.last - placed.first
    for passed in range(int(number.max(initial=0))):
        step = placed.first + passed
        expected = recursion.ahead(state, 1)[:, 0]
        inside = (step >= history.start) & (step < history.ends)
        places = np.where(inside, history.offsets[:-1] + step - history.start, 0)
        value = np.where(inside, history.values[places], np.nan) if len(history.values) else expected
        after = recursion.advance(state, np.where(np.isnan(value), expected, value))
        moves = passed < number
        state = {
            name: np.where(moves.reshape(-1, *[1] * (column.ndim - 1)), after[name], column)
            for name, column in state.items()
        }
    return state


def _deviation(recursion: Recursion, state: State, mean: np.ndarray) -> Float[np.ndarray, "series horizon"]:
    """Standard deviations by step: what one error of the usual size moves, added up from step to step."""
    size = np.where(state["is_relative"] > 0, np.abs(mean[:, 0]), 1.0)
    error = np.maximum(state["deviation"] * size, 1e-12)
    horizon = mean.shape[1]
    longer = recursion.ahead(state, horizon + 1)
    moved = recursion.ahead(recursion.advance(state, longer[:, 0] + error), horizon) - longer[:, 1:]
    growth = np.cumsum(moved**2, axis=1)
    variance = error[:, None] ** 2 + np.concatenate([np.zeros((len(mean), 1)), growth[:, :-1]], axis=1)
    return np.sqrt(variance)
