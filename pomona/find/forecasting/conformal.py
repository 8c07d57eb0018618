"""Quantiles that are right as often as they say, by what the errors of a rolling validation were.

For each level and step of the horizon, the quantile is moved by the conformal quantile of its own past errors
divided by the size of the series (Romano et al. 2019, one side at a time): under errors that could have come
in any order, a share of at least `level` of new values lies at or below the moved quantile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.find.forecasting.problem import QUANTILES, Forecast

FEWEST = 40
"""Errors for each level below which steps of the horizon are taken together, and with fewer nothing moves."""

FULL_TRUST = 400
"""Errors from which on a correction is taken whole; with fewer, a share of it."""


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
    horizon = forecasts[0].quantiles.shape[1]
    errors = []
    for forecast, truth, size in zip(forecasts, truths, sizes, strict=True):
        usable = np.isfinite(size) & (size > 0)
        scaled = (truth[:, :, None] - forecast.quantiles)[usable] / size[usable, None, None]
        errors.append(scaled)
    scaled = np.concatenate(errors)
    counts = np.isfinite(scaled[:, :, 0]).sum(0)
    shift = np.zeros((horizon, len(QUANTILES)))
    for step in range(horizon):
        part = scaled[:, _neighbours(step, counts)].reshape(-1, len(QUANTILES))
        part = part[np.isfinite(part[:, 0])]
        if len(part) >= FEWEST:
            trust = min(1.0, len(part) / FULL_TRUST)
            shift[step] = trust * np.array([_level(part[:, i], level) for i, level in enumerate(QUANTILES)])
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


def _neighbours(step: int, counts: np.ndarray) -> np.ndarray:
    """The steps around a step that together have errors enough, as few as that takes."""
    horizon = len(counts)
    for reach in range(horizon):
        near = np.arange(max(0, step - reach), min(horizon, step + reach + 1))
        if counts[near].sum() >= FULL_TRUST:
            return near
    return np.arange(horizon)


def _level(errors: Float[np.ndarray, " error"], level: float) -> float:
    """The shift at which a share of at least `level` of one error more lies at or below it.

    Errors that are ties, as many zeros are, ask for no shift when 0 is among the right answers.
    """
    ordered = np.sort(errors)
    position = min(int(np.ceil((len(ordered) + 1) * level)), len(ordered)) - 1
    shift = float(ordered[position])
    lowest = float(ordered[max(int(np.floor((len(ordered) + 1) * level)) - 1, 0)])
    return 0.0 if lowest <= 0.0 <= shift else shift
