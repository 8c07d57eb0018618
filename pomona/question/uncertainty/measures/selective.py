"""Is it wrong where it is unsure? What accuracy becomes when the least sure examples are left to others.

Examples of equal score are taken in no order: each counts as their mean, so that a model which is as sure of
everything gains nothing.
"""

import numpy as np
from jaxtyping import Float

from pomona.question.uncertainty.measures.likelihood import Labels, is_right
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import Said
from pomona.tasks.metrics.ranking import area_under_roc

SCORE = "max-probability"
ANSWERED = 0.8


def risk_curve(
    score: Float[np.ndarray, " batch"], wrong: Float[np.ndarray, " batch"]
) -> Float[np.ndarray, " batch"]:
    """Share of wrong ones among the surest 1, 2, … all examples."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    shared = (np.bincount(place, wrong) / count)[place]
    ordered = shared[np.argsort(score, kind="stable")]
    return np.cumsum(ordered) / np.arange(1, len(wrong) + 1)


def area_under_risk(said: Said, truth: Labels) -> float:
    """Mean of the risk curve (Geifman and El-Yaniv 2017)."""
    return float(risk_curve(said.scores[SCORE], 1 - is_right(said, truth)).mean())


def answered_accuracy(said: Said, truth: Labels) -> float:
    """Accuracy on the surest 80 % of examples."""
    risks = risk_curve(said.scores[SCORE], 1 - is_right(said, truth))
    return float(1 - risks[max(1, round(ANSWERED * len(truth))) - 1])


def error_auroc(said: Said, truth: Labels) -> float | None:
    """Chance that a wrong example is less sure than a right one, ties by half; None when none is wrong."""
    wrong = is_right(said, truth) == 0
    if wrong.all() or not wrong.any():
        return None
    return area_under_roc(wrong, said.scores[SCORE], np.ones(len(truth)))


SELECTIVE = (
    Measure(
        "aurc",
        area_under_risk,
        False,
        "mean share of errors among the surest 1, 2, … all examples, by probability of the likeliest class",
    ),
    Measure("accuracy_at_80", answered_accuracy, True, "accuracy on the surest 80 % of examples"),
    Measure(
        "error_auroc",
        error_auroc,
        True,
        "chance that a wrong answer has a lower probability of the likeliest class than a right one",
    ),
)
