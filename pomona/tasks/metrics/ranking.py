"""Does a higher score mean a likelier class? Areas under the ROC and the precision-recall curve.

A row keeps an example's truths and scores, so rows of all examples take memory of examples × classes.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from pomona.tasks.metrics.metric import Metric, Rows, Weight, is_multilabel

Column = Float[np.ndarray, " batch"]


def ranking_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """The weight, then a truth (0 or 1) for every question, then its scores.

    Two classes are one question, "is it the second?"; more classes or labels are one question each.
    """
    if is_multilabel(prediction, target):
        truths, scores = target >= 0.5, prediction
    elif prediction.shape[1] == 2:
        truths, scores = target[:, None] == 1, prediction[:, 1:]
    else:
        truths, scores = target[:, None] == np.arange(prediction.shape[1]), prediction
    weights = np.ones(len(target)) if weight is None else weight
    return np.concatenate([weights[:, None], truths, scores], axis=1, dtype=np.float64)


def auroc(rows: Rows) -> float | None:
    """Mean over the questions that have both answers."""
    return _mean_over_questions(rows, area_under_roc)


def average_precision(rows: Rows) -> float | None:
    """Mean over the questions that have both answers."""
    return _mean_over_questions(rows, area_under_precision)


def area_under_roc(truth: Bool[np.ndarray, " batch"], score: Column, weight: Column) -> float:
    """Chance that a true example scores above a false one, ties by half."""
    _, place = np.unique(score, return_inverse=True)
    positive, negative = np.bincount(place, weight * truth), np.bincount(place, weight * ~truth)
    below = np.cumsum(negative) - negative
    return float(positive @ (below + negative / 2) / (positive.sum() * negative.sum()))


def area_under_precision(truth: Bool[np.ndarray, " batch"], score: Column, weight: Column) -> float:
    """Mean precision at the thresholds where recall grows, by how much it grows; without interpolation."""
    _, place = np.unique(-score, return_inverse=True)
    positive = np.bincount(place, weight * truth)
    found, chosen = np.cumsum(positive), np.cumsum(np.bincount(place, weight))
    precision = np.divide(found, chosen, out=np.zeros_like(found), where=chosen > 0)
    return float(positive @ precision / found[-1])


def _mean_over_questions(rows: Rows, area: Callable[..., float]) -> float | None:
    num_questions = (rows.shape[1] - 1) // 2
    weight = rows[:, 0]
    areas = []
    for question in range(num_questions):
        truth = rows[:, 1 + question] > 0
        if weight[truth].sum() > 0 and weight[~truth].sum() > 0:
            areas.append(area(truth, rows[:, 1 + num_questions + question], weight))
    return float(np.mean(areas)) if areas else None


RANKING_METRICS = (
    Metric(
        "auroc",
        ("classify", "multilabel"),
        ranking_rows,
        auroc,
        True,
        "chance that an example of a class gets a higher probability of it than one without, ties by half: "
        "of the second of two classes, else the mean over classes that some examples have and some have not",
        (0.0, 1.0),
    ),
    Metric(
        "average_precision",
        ("classify", "multilabel"),
        ranking_rows,
        average_precision,
        True,
        "mean of the precisions at each rise of recall, weighted by the rise: of the second of two classes, "
        "else the mean over classes that some examples have and some have not",
        (0.0, 1.0),
    ),
)
