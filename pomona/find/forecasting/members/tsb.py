"""Demand and its probability, smoothed apart, for products that may be given up.

Teunter, Syntetos, Babai 2011: other than with Croston's method, each step without a demand lowers the
forecast.
"""

import itertools
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.recent import recent_forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, tail
from pomona.foundation.run import Run

CHOICES = np.array(list(itertools.product((0.05, 0.1, 0.2), (0.02, 0.05, 0.1, 0.2))))
"""Constants of size and of probability to choose from, by the squared error of the next step."""
USUAL = 5
MOST_STEPS_BACK = 800


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The constants of each series, its last size and probability."""
    history = histories(panel, cut)
    steps = max(1, min(int(history.lengths.max(initial=1)), MOST_STEPS_BACK))
    values = tail(history, steps).astype(np.float64)
    alphas = [np.tile(column, (len(values), 1)) for column in CHOICES.T]
    state = _begun(values, len(CHOICES))
    error = np.zeros((len(values), len(CHOICES)))
    for value in values.T[..., None]:
        error += np.nan_to_num(value - state[0] * state[1]) ** 2
        state = _after(state, value, *alphas)
    best = (np.arange(len(values)), error.argmin(axis=1))
    size, chance = (part[best] for part in state)
    arrays = {"size": size, "chance": chance, "alpha_size": alphas[0][best], "alpha_chance": alphas[1][best]}
    return Params({**arrays, "cut": np.asarray(cut, np.int64)})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """Size times probability, the same for all steps, with quantiles of the last values."""
    history = histories(panel, cut)
    arrays, rows = params.arrays, history.fitted_as.copy()
    rows[rows >= 0] = np.where(arrays["cut"][rows[rows >= 0]] <= cut[rows >= 0], rows[rows >= 0], -1)
    is_fitted, place = rows >= 0, np.maximum(rows, 0)
    number = np.where(is_fitted, cut - arrays["cut"][place], history.lengths)
    values = tail(history, max(1, int(number.max(initial=1)))).astype(np.float64)
    begun = _begun(values, 1)
    state = tuple(
        np.where(is_fitted, arrays[name][place], own[:, 0])
        for name, own in zip(("size", "chance"), begun, strict=True)
    )
    alphas = [
        np.where(is_fitted, arrays[name][place], usual)
        for name, usual in zip(("alpha_size", "alpha_chance"), CHOICES[USUAL], strict=True)
    ]
    for column in range(values.shape[1]):
        is_new = values.shape[1] - column <= number
        state = _after(state, np.where(is_new, values[:, column], np.nan), *alphas)
    mean = state[0] * state[1]
    return recent_forecast(history, np.repeat(mean[:, None], panel.horizon, axis=1))


State = tuple[np.ndarray, ...]
"""Size of a demand and probability of one."""


def _begun(values: Float[np.ndarray, "series time"], count: int) -> State:
    """The first demand of each series, and whether its first value is one."""
    plain = np.nan_to_num(values)
    each = np.arange(len(values))
    size = plain[each, (plain != 0).argmax(axis=1)]
    chance = (plain[each, (~np.isnan(values)).argmax(axis=1)] != 0).astype(np.float64)
    return tuple(np.repeat(part[:, None], count, axis=1) for part in (size, chance))


def _after(state: State, value: np.ndarray, alpha_size: np.ndarray, alpha_chance: np.ndarray) -> State:
    """The state after a value; a missing one changes nothing."""
    size, chance = state
    is_there, plain = ~np.isnan(value), np.nan_to_num(value)
    is_demand = plain != 0
    return (
        np.where(is_demand, size + alpha_size * (plain - size), size),
        np.where(is_there, chance + alpha_chance * (is_demand - chance), chance),
    )
