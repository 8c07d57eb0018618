"""Quantiles that are right as often as they say, by what the errors of a rolling validation were.

For each level and step of the horizon, the quantile is moved by the conformal quantile of its own past errors
divided by the size of the series (Romano et al. 2019, one side at a time): under errors that could have come
in any order, a share of at least `level` of new values lies at or below the moved quantile.

All errors of one window come of the same weather, and a new window has its own: where the windows, each left
out in turn, were held less often by what the others said, levels are drawn apart until they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from pomona.find.forecasting.problem import QUANTILES, Forecast

FEWEST = 40
"""Errors for each level below which steps of the horizon are taken together, and with fewer nothing moves."""

FULL_TRUST = 400
"""Errors from which on a correction is taken whole; with fewer, a share of it."""

OUTER = [0, -1]
"""The quantiles between which the interval lies that must hold its share of values."""
MOST_STRETCH, HALVINGS = 1.6, 8
"""How far levels are drawn apart at most, in normal deviations, and steps of the search for how far."""


@dataclass(frozen=True)
class Correction:
    """What is added to each quantile, in sizes of the series."""

    shift: Float[np.ndarray, "horizon level"]
    num_errors: int
    """Errors behind a step of the horizon, on average."""
    is_count: bool = False
    """Whether values are counts, many of them 0: then quantiles below a half are 0, and from there to 1 rise
    twice as fast. Between members that say 0 and 1 a mean says a third, below which no count lies but 0."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"shift": self.shift.tolist(), "num_errors": self.num_errors, "is_count": self.is_count}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Correction":
        """What `to_json` wrote."""
        is_count = bool(plain.get("is_count", False))
        return Correction(np.array(plain["shift"], np.float64), int(plain["num_errors"]), is_count)


def calibrate(
    forecasts: Sequence[Forecast],
    truths: Sequence[Float[np.ndarray, "series horizon"]],
    sizes: Sequence[Float[np.ndarray, " series"]],
) -> Correction:
    """The correction from forecasts for several origins and the truth that came, NaN where it did not.

    `sizes` is what the errors of each series are divided by, one array an origin; NaN and 0 leave one out.
    """
    errors = []
    for forecast, truth, size in zip(forecasts, truths, sizes, strict=True):
        usable = np.isfinite(size) & (size > 0)
        errors.append((truth[:, :, None] - forecast.quantiles)[usable] / size[usable, None, None])
    whole = np.concatenate(errors)
    levels = _stretched(_stretch([one for one in errors if np.isfinite(one).any()]))
    shift = np.zeros(whole.shape[1:])
    for step, ordered in enumerate(_ordered(whole)):
        shift[step] = _shift(ordered, levels)
    counts = np.isfinite(whole[:, :, 0]).sum(0)
    return Correction(shift, int(counts.mean()) if len(counts) else 0)


def corrected(
    forecast: Forecast,
    correction: Correction,
    sizes: Float[np.ndarray, " series"],
    *,
    is_nonnegative: bool = False,
) -> Forecast:
    """The forecast with its quantiles moved and in order; its mean stays."""
    usable = np.where(np.isfinite(sizes), sizes, 0.0)
    moved = forecast.quantiles + correction.shift[None] * usable[:, None, None]
    moved = np.sort(moved, axis=2)
    if correction.is_count:
        moved = np.where(moved < 1, np.maximum(0.0, 2 * moved - 1), moved)
    return replace(forecast, quantiles=np.maximum(moved, 0.0) if is_nonnegative else moved)


def coverage(forecasts: Sequence[Forecast], truths: Sequence[Float[np.ndarray, "series horizon"]]) -> float:
    """Share of known values from the first to the last quantile, both included; NaN without any."""
    inside, known = 0, 0
    for forecast, truth in zip(forecasts, truths, strict=True):
        is_known = np.isfinite(truth)
        low, high = forecast.quantiles[:, :, 0], forecast.quantiles[:, :, -1]
        inside += int(((truth >= low) & (truth <= high) & is_known).sum())
        known += int(is_known.sum())
    return inside / known if known else float("nan")


def _stretch(errors: Sequence[Float[np.ndarray, "series horizon level"]]) -> float:
    """How far levels must be drawn apart to hold windows as often as they say, each left out in turn.

    What is missing falls with the number of windows that tell, of which a new one has one more.
    """
    if len(errors) < 2:
        return 1.0
    rest = []
    for place in range(len(errors)):
        others = np.concatenate([*errors[:place], *errors[place + 1 :]])
        rest.append(_ordered(others[..., OUTER]))
    left_out = [one[..., OUTER] for one in errors]
    wanted = QUANTILES[-1] - QUANTILES[0]
    low, high = 1.0, MOST_STRETCH
    if _held(left_out, rest, low) >= wanted:
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _held(left_out, rest, middle) >= wanted else (middle, high)
    return 1 + (high - 1) * (len(errors) - 1) / len(errors)


def _held(
    left_out: Sequence[np.ndarray], rest: Sequence[list[Float[np.ndarray, "error level"]]], stretch: float
) -> float:
    """Share of the errors of each window that the others' corrected interval holds."""
    levels, inside, known = _stretched(stretch)[OUTER], 0, 0
    for errors, others in zip(left_out, rest, strict=True):
        shift = np.array([_shift(ordered, levels) for ordered in others])
        inside += int(((errors[..., 0] >= shift[:, 0]) & (errors[..., 1] <= shift[:, 1])).sum())
        known += int(np.isfinite(errors[..., 0]).sum())
    return inside / known


def _stretched(stretch: float) -> Float[np.ndarray, " level"]:
    """Levels further from the middle, in normal deviations."""
    return np.array(QUANTILES) if stretch == 1 else ndtr(stretch * ndtri(np.array(QUANTILES)))


def _ordered(scaled: Float[np.ndarray, "series horizon level"]) -> list[Float[np.ndarray, "error level"]]:
    """For each step the known errors of it and of its neighbours, from the lowest to the highest."""
    counts, results = np.isfinite(scaled[:, :, 0]).sum(0), []
    for step in range(scaled.shape[1]):
        part = scaled[:, _neighbours(step, counts)].reshape(-1, scaled.shape[2])
        results.append(np.sort(part[np.isfinite(part[:, 0])], axis=0))
    return results


def _neighbours(step: int, counts: np.ndarray) -> np.ndarray:
    """The steps around a step that together have errors enough, as few as that takes."""
    horizon = len(counts)
    for reach in range(horizon):
        near = np.arange(max(0, step - reach), min(horizon, step + reach + 1))
        if counts[near].sum() >= FULL_TRUST:
            return near
    return np.arange(horizon)


def _shift(
    ordered: Float[np.ndarray, "error level"], levels: Float[np.ndarray, " level"]
) -> Float[np.ndarray, " level"]:
    """The shifts at which a share of at least each level of one error more lies at or below it.

    Errors that are ties, as many zeros are, ask for no shift when 0 is among the right answers. Of few errors
    a share is taken, of fewer than FEWEST nothing.
    """
    number = len(ordered)
    if number < FEWEST:
        return np.zeros(len(levels))
    rank, column = (number + 1) * levels, np.arange(len(levels))
    shift = ordered[np.clip(np.ceil(rank).astype(int), 1, number) - 1, column]
    lowest = ordered[np.clip(np.floor(rank).astype(int), 1, number) - 1, column]
    is_tie = (lowest <= 0) & (shift >= 0)
    return min(1.0, number / FULL_TRUST) * np.where(is_tie, 0.0, shift)
