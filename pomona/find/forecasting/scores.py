"""How good forecasts are: errors by the scale of each series, and how often intervals hold the truth."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel, histories

COVERAGE_LOW, COVERAGE_HIGH = QUANTILES.index(0.1), QUANTILES.index(0.9)


@dataclass(frozen=True)
class Scores:
    """Means over series, NaN where nothing can be scored.

    mase, rmsse  mean absolute and root mean squared error, by those of seasonal changes in the history
    smape        absolute error by the mean of true and forecast size, in percent; 0 where both are 0
    wql          twice the quantile loss, summed over quantiles, by the sum of true sizes
    coverage_80  share of true values between the quantiles .1 and .9
    """

    mase: float
    rmsse: float
    smape: float
    wql: float
    coverage_80: float

    def to_json(self) -> dict[str, float]:
        """As plain data."""
        return asdict(self)


def scores(
    forecasts: list[Forecast],
    truths: list[Float32[np.ndarray, "series horizon"]],
    scale: Float[np.ndarray, " series"],
    squared_scale: Float[np.ndarray, " series"],
) -> Scores:
    """The scores over several origins; steps without a true value do not count."""
    mean = np.concatenate([one.mean for one in forecasts], axis=1).astype(np.float64)
    quantiles = np.concatenate([one.quantiles for one in forecasts], axis=1)
    true = np.concatenate(truths, axis=1).astype(np.float64)
    real = ~np.isnan(true)
    error = np.where(real, mean - true, 0.0)
    number = real.sum(axis=1)
    counts = number > 0
    if not counts.any():
        return Scores(*[float("nan")] * 5)
    num = np.maximum(number, 1)
    mase = np.abs(error).sum(axis=1) / num / scale
    rmsse = np.sqrt((error**2).sum(axis=1) / num / squared_scale)
    size = np.where(real, np.abs(mean) + np.abs(true), 0.0)
    percent = np.divide(200 * np.abs(error), size, out=np.zeros_like(size), where=size > 0)
    inside = (true >= quantiles[..., COVERAGE_LOW]) & (true <= quantiles[..., COVERAGE_HIGH])
    return Scores(
        mase=float(mase[counts].mean()),
        rmsse=float(rmsse[counts].mean()),
        smape=float(percent[real].mean()),
        wql=weighted_quantile_loss(quantiles, true),
        coverage_80=float(inside[real].mean()),
    )


def weighted_quantile_loss(
    quantiles: Float[np.ndarray, "series horizon quantile"], true: Float[np.ndarray, "series horizon"]
) -> float:
    """Twice the mean quantile loss by the sum of true sizes (GluonTS, Alexandrov et al. 2020)."""
    real = ~np.isnan(true)
    over = quantiles[real] - true[real][:, None]
    levels = np.array(QUANTILES)
    loss = np.maximum((1 - levels) * over, -levels * over).mean(axis=1)
    size = np.abs(true[real]).sum()
    return float(2 * loss.sum() / size) if size > 0 else float("nan")


def scales_of(
    panel: Panel, cut: Int64[np.ndarray, " series"]
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Mean absolute and mean squared seasonal change of each series before its cut, never 0.

    Where a series is too short for its season, the change from step to step counts; where it stands still,
    the median of the other series.
    """
    history = histories(panel, cut)
    results = []
    for lag in dict.fromkeys((panel.freq.season, 1)):
        results.append(_changes(history, lag))
    absolute, squared = results[0]
    for further in results[1:]:
        missing = ~(absolute > 0)
        absolute, squared = np.where(missing, further[0], absolute), np.where(missing, further[1], squared)
    return _filled(absolute), _filled(squared)


def scale_of(panel: Panel, cut: Int64[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """Mean absolute seasonal change of each series before its cut, never 0."""
    return scales_of(panel, cut)[0]


def _changes(panel: Panel, lag: int) -> tuple[np.ndarray, np.ndarray]:
    values = panel.values.astype(np.float64)
    if len(values) <= lag:
        return np.full(panel.num_series, np.nan), np.full(panel.num_series, np.nan)
    owner = np.repeat(np.arange(panel.num_series), panel.lengths)
    change = values[lag:] - values[:-lag]
    is_real = (owner[lag:] == owner[:-lag]) & ~np.isnan(change)
    owner, change = owner[lag:][is_real], change[is_real]
    number = np.bincount(owner, minlength=panel.num_series)
    sums = [np.bincount(owner, w, minlength=panel.num_series) for w in (np.abs(change), change**2)]
    absolute, squared = (np.where(number > 0, total / np.maximum(number, 1), np.nan) for total in sums)
    return absolute, squared


def _filled(scale: np.ndarray) -> Float[np.ndarray, " series"]:
    usable = scale[scale > 0]
    usual = float(np.median(usable)) if len(usable) else 1.0
    return np.where(scale > 0, scale, usual)
