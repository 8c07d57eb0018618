"""How good foretold means and deviations are as normal distributions: likelihood and CRPS."""

import numpy as np

from pomona.question.uncertainty.measures.errors import Values, squared_errors
from pomona.question.uncertainty.measures.means import mean_measure
from pomona.question.uncertainty.said import SaidValues

SMALLEST_DEVIATION = 1e-12
"""A deviation below counts as this, so that no single number decides everything by an infinite amount."""


def gaussian_nats(said: SaidValues, truth: Values) -> Values | None:
    """Minus the logarithm of the density at the truth, in nats of the target's unit."""
    if said.deviation is None:
        return None
    variance = np.maximum(said.deviation, SMALLEST_DEVIATION) ** 2
    return 0.5 * (np.log(2 * np.pi * variance) + squared_errors(said, truth) / variance)


def gaussian_crps(said: SaidValues, truth: Values) -> Values | None:
    """The continuous ranked probability score (Gneiting and Raftery 2007, section 4.2)."""
    from scipy.special import ndtr

    if said.deviation is None:
        return None
    deviation = np.maximum(said.deviation, SMALLEST_DEVIATION)
    place = (np.asarray(truth, np.float64) - said.mean) / deviation
    density = np.exp(-(place**2) / 2) / np.sqrt(2 * np.pi)
    return deviation * (place * (2 * ndtr(place) - 1) + 2 * density - 1 / np.sqrt(np.pi))


GAUSSIAN = (
    mean_measure(
        "nll",
        gaussian_nats,
        False,
        "mean of minus the logarithm of a normal density with the foretold mean and deviation at the truth",
        unit="nats",
    ),
    mean_measure(
        "crps",
        gaussian_crps,
        False,
        "mean continuous ranked probability score of that normal distribution; without deviation it is mae",
        unit="target",
    ),
)
