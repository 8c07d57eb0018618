"""The best member alone or with others: weights by greedy selection, and quantiles shifted to what was true."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float32

from pomona.find.forecasting.problem import QUANTILES, Forecast

ROUNDS = 10


def choose(
    forecasts: Mapping[str, Sequence[Forecast]],
    truths: Sequence[Float32[np.ndarray, "series horizon"]],
    scale: Float[np.ndarray, " series"],
) -> dict[str, float]:
    """Weights that sum to 1: members are added one by one, the same again if need be, while the error falls."""
    true = np.concatenate(truths, axis=1)
    means = {name: np.concatenate([f.mean for f in own], axis=1) for name, own in forecasts.items()}
    counts: dict[str, int] = {}
    total, best = np.zeros(true.shape), np.inf
    for number in range(ROUNDS):
        losses = {n: _error((total + m) / (number + 1), true, scale) for n, m in means.items()}
        name = min(losses, key=lambda one: losses[one])
        if not losses[name] < best:
            break
        best, total = losses[name], total + means[name]
        counts[name] = counts.get(name, 0) + 1
    counts = counts or {next(iter(forecasts)): 1}
    return {name: count / sum(counts.values()) for name, count in counts.items()}


def combine(forecasts: Mapping[str, Forecast], weights: Mapping[str, float]) -> Forecast:
    """The weighted mean of means and of each quantile."""
    mean = sum(weight * forecasts[name].mean for name, weight in weights.items())
    quantiles = sum(weight * forecasts[name].quantiles for name, weight in weights.items())
    return Forecast(np.asarray(mean), np.asarray(quantiles))


def calibrate(
    forecasts: Sequence[Forecast],
    truths: Sequence[Float32[np.ndarray, "series horizon"]],
    scale: Float[np.ndarray, " series"],
) -> Float[np.ndarray, " quantile"]:
    """How far each quantile has to be shifted, in scales, so that as many true values are below as it says."""
    shifts = []
    for place, level in enumerate(QUANTILES):
        missed = [
            (t - f.quantiles[..., place]) / scale[:, None] for f, t in zip(forecasts, truths, strict=True)
        ]
        flat = np.concatenate([m[~np.isnan(m)] for m in missed])
        shifts.append(float(np.quantile(flat, level)) if len(flat) else 0.0)
    return np.array(shifts)


def correct(
    shifts: Float[np.ndarray, " quantile"], forecast: Forecast, scale: Float[np.ndarray, " series"]
) -> Forecast:
    """The forecast with shifted quantiles, which still do not cross."""
    moved = np.sort(forecast.quantiles + shifts * scale[:, None, None], axis=-1)
    floor = np.where((forecast.quantiles >= 0).all(axis=(1, 2)), 0.0, -np.inf)
    return Forecast(forecast.mean, np.maximum(moved, floor[:, None, None]), forecast.nonzero)


def _error(mean: np.ndarray, true: np.ndarray, scale: np.ndarray) -> float:
    scaled = np.abs(mean - true) / scale[:, None]
    return float(np.nanmean(scaled)) if not np.isnan(scaled).all() else 0.0
