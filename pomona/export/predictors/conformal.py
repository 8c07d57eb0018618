"""Sets of classes and intervals of numbers from the conformal calibration that a saved model carries.

What is kept is plain data (score, coverage, quantiles) that `pomona.fit.conformal` made from held-out
examples; the guarantee is stated there. Scores that need more than a prediction (adaptive by lot,
normalised) are refused.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pomona.foundation.errors import ArtifactError


def classes_inside(
    calibration: Mapping[str, Any], target: str, probabilities: Float[np.ndarray, "batch classes"]
) -> Bool[np.ndarray, "batch classes"]:
    """Which classes are in the set of each record; with few calibration examples, all of them."""
    quantile = _quantiles(calibration, target, "least-ambiguous")[0]
    return 1 - probabilities.astype(np.float64) <= quantile


def interval_around(
    calibration: Mapping[str, Any], target: str, values: Float[np.ndarray, "batch ..."]
) -> tuple[Float[np.ndarray, "batch ..."], Float[np.ndarray, "batch ..."]]:
    """The lower and upper ends of the interval of each number; with few calibration examples, infinite."""
    half = np.reshape(_quantiles(calibration, target, "residual"), values.shape[1:])
    return values - half, values + half


def _quantiles(calibration: Mapping[str, Any], target: str, score: str) -> list[float]:
    kept = (calibration.get("conformal") or {}).get(target)
    if kept is None:
        raise ArtifactError(
            f"the model has no conformal calibration of {target!r}: only predictions can be had"
        )
    if kept["score"] != score:
        raise ArtifactError(f"the conformal calibration of {target!r} is by {kept['score']}, wanted {score}")
    return [math.inf if quantile is None else float(quantile) for quantile in kept["quantiles"]]
