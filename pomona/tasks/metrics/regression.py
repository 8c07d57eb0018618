"""How far predicted numbers are from the true ones."""

import math

import numpy as np
from jaxtyping import Float

from pomona.tasks.metrics.metric import Metric, Rows, Weight, no_rows, ratio, real_values, weighted

Errors = Float[np.ndarray, "batch value"]


def squared_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Squared errors of an example's real numbers summed, and how many there are."""
    return _summed(errors(prediction, target) ** 2, real_values(target, mask), weight)


def absolute_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Absolute errors of an example's real numbers summed, and how many there are."""
    return _summed(np.abs(errors(prediction, target)), real_values(target, mask), weight)


def output_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """The weight, then an example's true numbers, then its errors."""
    weights = np.ones(len(target)) if weight is None else weight
    truths = target.reshape(len(target), int(np.prod(target.shape[1:])))
    return np.concatenate([weights[:, None], truths, errors(prediction, target)], axis=1, dtype=np.float64)


def distance_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Mean distance of an example's points from the true ones, and 1; for keypoints only."""
    if target.ndim != 3:
        return no_rows(prediction)
    difference = prediction.astype(np.float64) - target
    distance = np.sqrt((difference**2).sum(axis=-1)).mean(axis=1)
    return weighted(np.stack([distance, np.ones(len(distance))], axis=1), weight)


def errors(prediction: np.ndarray, target: np.ndarray) -> Errors:
    """Prediction minus target in float64, flattened an example."""
    difference = prediction.astype(np.float64) - target
    return difference.reshape(len(difference), int(np.prod(difference.shape[1:])))


def root_mean(rows: Rows) -> float | None:
    """The root of the mean."""
    mean = ratio(rows)
    return None if mean is None else math.sqrt(mean)


def r2(rows: Rows) -> float | None:
    """Mean over outputs that vary; None when none does."""
    weight, truth, error = _outputs(rows)
    if not len(weight):
        return None
    spread = weight @ (truth - weight @ truth / weight.sum()) ** 2
    # of a constant, rounding alone would leave a spread, and a score of minus a million
    varies = spread > 1e-12 * (weight @ truth**2)
    if not varies.any():
        return None
    return float((1 - (weight @ error**2)[varies] / spread[varies]).mean())


def median_absolute(rows: Rows) -> float | None:
    """Mean over outputs of the weighted median; of two middle values their mean."""
    weight, _, error = _outputs(rows)
    if not len(weight):
        return None
    order = np.argsort(np.abs(error), axis=0)
    ranked = np.take_along_axis(np.abs(error), order, axis=0)
    share = np.cumsum(weight[order], axis=0) / weight.sum()
    lower = (share < 0.5 - 1e-12).sum(axis=0)
    upper = (share < 0.5 + 1e-12).sum(axis=0)
    columns = np.arange(ranked.shape[1])
    return float(((ranked[lower, columns] + ranked[upper, columns]) / 2).mean())


def _summed(values: Errors, real: np.ndarray, weight: Weight) -> Rows:
    return weighted(np.stack([(values * real).sum(axis=1), real.sum(axis=1)], axis=1), weight)


def _outputs(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = rows[rows[:, 0] > 0]
    num_outputs = (rows.shape[1] - 1) // 2
    return rows[:, 0], rows[:, 1 : 1 + num_outputs], rows[:, 1 + num_outputs :]


REGRESSION_METRICS = (
    Metric(
        "rmse",
        ("regress", "forecast"),
        squared_rows,
        root_mean,
        False,
        "root of the mean squared error over all real numbers of all examples",
        (0.0, math.inf),
        unit="target",
    ),
    Metric(
        "mae",
        ("regress", "forecast"),
        absolute_rows,
        ratio,
        False,
        "mean absolute error over all real numbers of all examples",
        (0.0, math.inf),
        unit="target",
    ),
    Metric(
        "r2",
        ("regress",),
        output_rows,
        r2,
        True,
        "1 minus squared error by squared distance from the mean of these targets, averaged over outputs "
        "that vary; 0 is as good as that mean",
        (-math.inf, 1.0),
    ),
    Metric(
        "median_absolute_error",
        ("regress",),
        output_rows,
        median_absolute,
        False,
        "median over examples of the absolute error, averaged over outputs",
        (0.0, math.inf),
        unit="target",
    ),
    Metric(
        "mean_distance",
        ("regress",),
        distance_rows,
        ratio,
        False,
        "mean Euclidean distance of the points of keypoints from the true ones; absent for other targets",
        (0.0, math.inf),
        unit="target",
    ),
)
