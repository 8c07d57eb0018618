"""Does "90 % sure" mean right nine times in ten?"""

import numpy as np
from jaxtyping import Float, Int

from pomona.tasks.metrics.metric import Metric, Rows, Weight

NUM_BINS = 15


def confidence_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """The weight, the probability of the most probable class, and whether it is right."""
    weights = np.ones(len(target)) if weight is None else weight
    right = prediction.argmax(axis=1) == target
    return np.stack([weights, prediction.max(axis=1), right], axis=1, dtype=np.float64)


def expected_calibration_error(rows: Rows) -> float | None:
    """Mean distance of confidence from accuracy over 15 bins of equal weight.

    Biased: noise within a bin never cancels out, so that a perfectly calibrated model has more than 0, and
    the more the fewer the examples. Compare it at equal numbers only (Kumar et al. 2019, section 5).
    """
    weight, confidence, right = rows[rows[:, 0] > 0].T
    if not len(weight):
        return None
    place = equal_mass_bins(confidence, weight, NUM_BINS)
    gap = np.bincount(place, weight * (confidence - right))
    return float(np.abs(gap).sum() / weight.sum())


def equal_mass_bins(
    value: Float[np.ndarray, " batch"], weight: Float[np.ndarray, " batch"], num_bins: int
) -> Int[np.ndarray, " batch"]:
    """The bin of each example, 0 … num_bins - 1 from small to large values, each of about equal weight.

    Equal values share a bin, so that the order of examples does not matter.
    """
    _, place = np.unique(value, return_inverse=True)
    mass = np.bincount(place, weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return np.minimum((middle * num_bins).astype(np.int64), num_bins - 1)[place]


CALIBRATION_METRICS = (
    Metric(
        "ece",
        ("classify",),
        confidence_rows,
        expected_calibration_error,
        False,
        "mean over 15 bins of equally many examples, from unsure to sure, of the distance of mean confidence "
        "from accuracy; biased upwards on few examples, so compare it at equal numbers only",
        (0.0, 1.0),
    ),
)
