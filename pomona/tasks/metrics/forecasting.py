"""Errors of forecasts that compare across series of unlike size."""

import math

import numpy as np
from jaxtyping import Bool, Float

from pomona.tasks.metrics.metric import Metric, Rows, Weight, ratio, real_values, weighted
from pomona.tasks.metrics.regression import errors


def symmetric_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Errors in percent of the mean of true and predicted size, summed, and how many there are."""
    absolute, real = np.abs(errors(prediction, target)), real_values(target, mask)
    size = _sizes(prediction) + _sizes(target)
    # both zero is a perfect forecast
    percent = np.divide(200 * absolute, size, out=np.zeros_like(absolute), where=size > 0)
    return weighted(np.stack([(percent * real).sum(axis=1), real.sum(axis=1)], axis=1), weight)


def relative_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Absolute errors summed, in percent, and true sizes summed."""
    absolute, real = np.abs(errors(prediction, target)), real_values(target, mask)
    sums = [100 * (absolute * real).sum(axis=1), (_sizes(target) * real).sum(axis=1)]
    return weighted(np.stack(sums, axis=1), weight)


def scaled_rows(
    prediction: np.ndarray,
    target: np.ndarray,
    weight: Weight = None,
    mask: np.ndarray | None = None,
    *,
    past: np.ndarray,
    past_mask: np.ndarray | None = None,
) -> Rows:
    """Mean absolute error of each series by its mean absolute change in the past, summed, and their number.

    Hyndman and Koehler 2006, with a season of one step. A series that stood still has no scale: left out.
    """
    real = real_values(target, mask).reshape(target.shape)
    scale = mean_change(past, past_mask)
    num_real = real.sum(axis=1)
    mean = (np.abs(prediction.astype(np.float64) - target) * real).sum(axis=1) / np.maximum(num_real, 1)
    counts = (scale > 0) & (num_real > 0)
    scaled = np.divide(mean, scale, out=np.zeros_like(mean), where=counts)
    return weighted(np.stack([scaled.sum(axis=1), counts.sum(axis=1)], axis=1), weight)


def mean_change(
    past: Float[np.ndarray, "batch time feature"], past_mask: Bool[np.ndarray, "batch time"] | None
) -> Float[np.ndarray, "batch feature"]:
    """Mean absolute change from one real step to the next; 0 where there are not two."""
    change = np.abs(np.diff(past.astype(np.float64), axis=1))
    known = np.ones(past.shape[:2], bool) if past_mask is None else past_mask
    both = known[:, 1:] & known[:, :-1]
    return (change * both[..., None]).sum(axis=1) / np.maximum(both.sum(axis=1), 1)[:, None]


def _sizes(array: np.ndarray) -> np.ndarray:
    return np.abs(array.reshape(len(array), int(np.prod(array.shape[1:]))).astype(np.float64))


FORECASTING_METRICS = (
    Metric(
        "smape",
        ("forecast",),
        symmetric_rows,
        ratio,
        False,
        "mean of the absolute error by the mean of true and predicted size; 0 where both are 0",
        (0.0, 200.0),
        unit="%",
    ),
    Metric(
        "wape",
        ("forecast",),
        relative_rows,
        ratio,
        False,
        "sum of absolute errors by the sum of true sizes",
        (0.0, math.inf),
        unit="%",
    ),
    Metric(
        "mase",
        ("forecast",),
        scaled_rows,
        ratio,
        False,
        "mean over series of the mean absolute error by the mean absolute change from step to step in the "
        "past; absent unless one input is a series with the target's features and unit",
        (0.0, math.inf),
        needs=("past",),
    ),
)
