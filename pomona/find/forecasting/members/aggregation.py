"""What IMAPA and ADIDA share: sums over so many steps are smoothed, as they have fewer zeros than the steps.

Nikolopoulos, Syntetos, Boylan, Petropoulos, Assimakopoulos 2011 (ADIDA: one number of steps, the mean
distance of two demands); Petropoulos, Kourentzes 2015 (IMAPA: the mean over all numbers up to that).
"""

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.recent import FEWEST_STEPS
from pomona.find.forecasting.problem import Panel, Params, histories, tail

ALPHAS = np.linspace(0.1, 0.3, 41)
"""Smoothing constants to choose from: statsforecast looks for the best between the same bounds."""
MOST_WIDTH = 24
"""Sums over more steps than this say little of the next horizon."""


def fitted_sums(panel: Panel, cut: Int64[np.ndarray, " series"]) -> Params:
    """The smoothed sum and its constant of each series and width, from 1 to the mean distance of demands."""
    history = histories(panel, cut)
    values = tail(history, max(1, int(history.lengths.max(initial=1)))).astype(np.float64)
    began = values.shape[1] - history.lengths
    widest = _widest(values, began)
    shape = (len(values), int(widest.max(initial=1)))
    level, alpha = np.zeros(shape), np.full(shape, ALPHAS[0])
    for width in range(1, shape[1] + 1):
        rows = np.flatnonzero(widest >= width)
        level[rows, width - 1], alpha[rows, width - 1] = _best(values[rows], began[rows], width)
    arrays = {"level": level, "alpha": alpha, "widest": widest, "cut": np.asarray(cut, np.int64)}
    return Params(arrays)


def rates(
    params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]
) -> tuple[Float[np.ndarray, "series width"], Int64[np.ndarray, " series"]]:
    """What the sums of each width say of one step at the cut, and the widest that counts for each series.

    Whole sums since the fit are smoothed on. A series that was not fitted gets the mean of its last values.
    """
    history = histories(panel, cut)
    rows = history.fitted_as.copy()
    rows[rows >= 0] = np.where(params.arrays["cut"][rows[rows >= 0]] <= cut[rows >= 0], rows[rows >= 0], -1)
    is_fitted, place = rows >= 0, np.maximum(rows, 0)
    first = np.where(is_fitted, params.arrays["cut"][place], cut)
    passed = int((cut - first).max(initial=0))
    since = tail(history, max(1, passed)).astype(np.float64)
    widest = np.where(is_fitted, params.arrays["widest"][place], 1)
    result = np.repeat(_recent_mean(history)[:, None], params.arrays["level"].shape[1], axis=1)
    for width in range(1, result.shape[1] + 1):
        level, alpha = (params.arrays[name][place, width - 1] for name in ("level", "alpha"))
        for number in range(passed // width):
            at = since.shape[1] - (cut - first)[:, None] + number * width + np.arange(width)
            is_whole = at[:, -1] < since.shape[1]
            values = np.take_along_axis(since, np.clip(at, 0, since.shape[1] - 1), axis=1)
            total = np.where(np.isnan(values), level[:, None] / width, values).sum(axis=1)
            level = np.where(is_whole, level + alpha * (total - level), level)
        result[is_fitted, width - 1] = level[is_fitted] / width
    return result, widest


def _recent_mean(history: Panel) -> Float[np.ndarray, " series"]:
    recent = tail(history, FEWEST_STEPS).astype(np.float64)
    return np.nan_to_num(recent).sum(axis=1) / np.maximum((~np.isnan(recent)).sum(axis=1), 1)


def _widest(values: Float[np.ndarray, "series time"], began: np.ndarray) -> Int64[np.ndarray, " series"]:
    """The mean distance of two demands, the first one counted from the beginning; 1 without any."""
    demands = np.nan_to_num(values) != 0
    last = values.shape[1] - 1 - demands[:, ::-1].argmax(axis=1)
    number = demands.sum(axis=1)
    distance = np.where(number > 0, (last - began + 1) / np.maximum(number, 1), 1)
    return np.clip(np.round(distance), 1, MOST_WIDTH).astype(np.int64)


def _best(
    values: Float[np.ndarray, "series time"], began: Int64[np.ndarray, " series"], width: int
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """The sum smoothed by the constant with the least squared error of the next sum, and that constant.

    The last sum ends with the last value; what is left over at the beginning does not count.
    """
    number = values.shape[1] // width
    sums = (
        np.nan_to_num(values[:, values.shape[1] - number * width :])
        .reshape(len(values), number, width)
        .sum(2)
    )
    start = number - (values.shape[1] - began) // width
    level, error = np.zeros((len(values), len(ALPHAS))), np.zeros((len(values), len(ALPHAS)))
    for place in range(number):
        total = sums[:, place, None]
        missed = np.where((place > start)[:, None], total - level, 0.0)
        error += missed**2
        level = np.where((place == start)[:, None], total, level + ALPHAS * missed)
    best = error.argmin(axis=1)
    return level[np.arange(len(values)), best], ALPHAS[best]
