"""Does it notice what is none of its business? How well a score tells outside examples from test ones.

The positives are the examples from outside; a score is the higher, the less sure the method is.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError
from pomona.tasks.metrics.ranking import area_under_precision, area_under_roc

Scores = Float[np.ndarray, " batch"]


@dataclass(frozen=True)
class Detection:
    """How well outside examples are told from inside ones."""

    auroc: float
    """Chance that one from outside scores above one from inside, ties by half."""
    aupr: float
    """Average precision; its chance level is the share of outside examples."""
    fpr95: float
    """Share of inside examples that score as high as the highest 95 % of those from outside."""


def detection(inside: Scores, outside: Scores) -> Detection:
    """The three measures. Raises DataError for no examples or scores that are not finite.

    >>> detection(np.array([0.0, 0.1]), np.array([0.2, 0.3]))
    Detection(auroc=1.0, aupr=1.0, fpr95=0.0)
    """
    score = np.concatenate([inside, outside]).astype(np.float64)
    if not len(inside) or not len(outside) or not np.isfinite(score).all():
        raise DataError("detection needs finite scores of examples from inside and from outside")
    truth = np.arange(len(score)) >= len(inside)
    weight = np.ones(len(score))
    # the largest threshold that at least 95 % of those from outside reach
    reached = np.sort(outside)[::-1][int(np.ceil(0.95 * len(outside))) - 1]
    return Detection(
        area_under_roc(truth, score, weight),
        area_under_precision(truth, score, weight),
        float((np.asarray(inside) >= reached).mean()),
    )
