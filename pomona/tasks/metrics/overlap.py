"""Scores of a class from how far what was predicted and what is true overlap: recall, F1, IoU, Dice."""

import numpy as np
from jaxtyping import Float

from pomona.tasks.metrics.metric import Metric, Rows, Weight, class_units, is_multilabel, ratio, weighted

Counts = Float[np.ndarray, "batch classes"]


def overlap_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """For every class the units that are both, those predicted and those true: three blocks of columns."""
    return weighted(np.concatenate(_overlap(prediction, target, mask), axis=1), weight)


def dice_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Dice of an example, averaged over the classes in it or in its prediction, and 1."""
    both, predicted, true = _overlap(prediction, target, mask)
    size = predicted + true
    seen = size > 0
    scores = np.divide(2 * both, size, out=np.zeros_like(both), where=seen)
    counts = seen.any(axis=1)
    mean = scores.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return weighted(np.stack([mean, counts], axis=1), weight)


def _overlap(
    prediction: np.ndarray, target: np.ndarray, mask: np.ndarray | None
) -> tuple[Counts, Counts, Counts]:
    if is_multilabel(prediction, target):
        chosen, holds = prediction >= 0.5, target >= 0.5
        return (chosen & holds).astype(float), chosen.astype(float), holds.astype(float)
    probabilities, labels, real = class_units(prediction, target, mask)
    best, shape = probabilities.argmax(axis=-1), (len(labels), probabilities.shape[-1])
    example = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)

    def count(classes: np.ndarray, where: np.ndarray) -> Counts:
        cells = example[where] * shape[1] + classes[where]
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(float)

    return count(labels, real & (best == labels)), count(best, real), count(labels, real)


def balanced_accuracy(rows: Rows) -> float | None:
    """Mean recall of the classes that occur."""
    both, _, true = _sums(rows)
    return _mean(both, true)


def macro_f1(rows: Rows) -> float | None:
    """Mean F1 of the classes."""
    both, predicted, true = _sums(rows)
    return _mean(2 * both, predicted + true)


def micro_f1(rows: Rows) -> float | None:
    """F1 of the counts of all classes added up."""
    both, predicted, true = _sums(rows).sum(axis=1, keepdims=True)
    return _mean(2 * both, predicted + true)


def mean_iou(rows: Rows) -> float | None:
    """Mean intersection over union of the classes."""
    both, predicted, true = _sums(rows)
    return _mean(both, predicted + true - both)


def _sums(rows: Rows) -> Float[np.ndarray, "3 classes"]:
    return rows.sum(axis=0).reshape(3, -1)


def _mean(numerator: np.ndarray, denominator: np.ndarray) -> float | None:
    # a class that is neither true nor predicted says nothing, so it is left out rather than called 0 or 1
    seen = denominator > 0
    return float((numerator[seen] / denominator[seen]).mean()) if seen.any() else None


OVERLAP_METRICS = (
    Metric(
        "balanced_accuracy",
        ("classify",),
        overlap_rows,
        balanced_accuracy,
        True,
        "mean over the classes that occur of the share of the class's examples that are found",
        (0.0, 1.0),
    ),
    Metric(
        "macro_f1",
        ("classify", "multilabel", "sequence"),
        overlap_rows,
        macro_f1,
        True,
        "mean over classes, true or predicted anywhere, of 2 × both / (predicted + true), labels cut at 0.5",
        (0.0, 1.0),
    ),
    Metric(
        "micro_f1",
        ("multilabel",),
        overlap_rows,
        micro_f1,
        True,
        "2 × both / (predicted + true) with the counts of all classes added up, labels cut at 0.5",
        (0.0, 1.0),
    ),
    Metric(
        "mean_iou",
        ("segment",),
        overlap_rows,
        mean_iou,
        True,
        "mean over classes, true or predicted anywhere, of both / either, pixels of all images added up",
        (0.0, 1.0),
    ),
    Metric(
        "dice",
        ("segment",),
        dice_rows,
        ratio,
        True,
        "mean over images of the mean over classes, in the image or its prediction, of 2 × both / "
        "(predicted + true)",
        (0.0, 1.0),
    ),
)
