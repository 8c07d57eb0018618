"""How far foretold means are from the truth."""

import math

import numpy as np
from jaxtyping import Float

from pomona.question.uncertainty.measures.means import mean_measure
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import SaidValues

Values = Float[np.ndarray, "batch ..."]


def squared_errors(said: SaidValues, truth: Values) -> Values:
    """Squared distance of the mean from the truth."""
    return (said.mean - np.asarray(truth, np.float64)) ** 2


def root_mean_square(said: SaidValues, truth: Values) -> float:
    """The root of their mean."""
    return math.sqrt(float(squared_errors(said, truth).mean()))


def absolute_errors(said: SaidValues, truth: Values) -> Values:
    """Distance of the mean from the truth."""
    return np.abs(said.mean - np.asarray(truth, np.float64))


ERRORS = (
    Measure("rmse", root_mean_square, False, "root of the mean squared error of the mean", "target"),
    mean_measure("mae", absolute_errors, False, "mean absolute error of the mean", unit="target"),
)
