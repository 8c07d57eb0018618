"""Shares of right answers: of examples, steps, pixels or labels."""

import numpy as np

from pomona.tasks.metrics.metric import (
    Metric,
    Rows,
    Weight,
    class_units,
    is_multilabel,
    no_rows,
    ratio,
    weighted,
)


def accuracy_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Right units and real units."""
    probabilities, labels, real = class_units(prediction, target, mask)
    right = (probabilities.argmax(axis=-1) == labels) & real
    return weighted(np.stack([right.sum(axis=1), real.sum(axis=1)], axis=1), weight)


def top5_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Chance that the class is among the five most probable, ties broken by lot, and 1."""
    probabilities, labels, real = class_units(prediction, target, mask)
    if probabilities.shape[-1] <= 5:
        return no_rows(prediction)
    own = np.take_along_axis(probabilities, labels[..., None], axis=-1)
    num_above, num_equal = (probabilities > own).sum(axis=-1), (probabilities == own).sum(axis=-1)
    hit = np.clip((5 - num_above) / num_equal, 0, 1) * real
    return weighted(np.stack([hit.sum(axis=1), real.sum(axis=1)], axis=1), weight)


def exact_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """1 for an example all of whose labels or real steps are right, and 1; 0, 0 without real steps."""
    if is_multilabel(prediction, target):
        right, real = (prediction >= 0.5) == (target >= 0.5), np.ones(target.shape, bool)
    else:
        probabilities, labels, real = class_units(prediction, target, mask)
        right = (probabilities.argmax(axis=-1) == labels) | ~real
    counts = real.any(axis=1)
    return weighted(np.stack([right.all(axis=1) & counts, counts], axis=1), weight)


def hamming_rows(
    prediction: np.ndarray, target: np.ndarray, weight: Weight = None, mask: np.ndarray | None = None
) -> Rows:
    """Share of wrong labels, and 1."""
    wrong = ((prediction >= 0.5) != (target >= 0.5)).mean(axis=1)
    return weighted(np.stack([wrong, np.ones(len(wrong))], axis=1), weight)


ACCURACY_METRICS = (
    Metric(
        "accuracy",
        ("classify", "segment", "sequence", "language"),
        accuracy_rows,
        ratio,
        True,
        "share of examples (pixels, real steps) whose most probable class is the right one",
        (0.0, 1.0),
    ),
    Metric(
        "top5_accuracy",
        ("classify",),
        top5_rows,
        ratio,
        True,
        "share of examples whose class is among the five most probable, ties broken by lot; absent for five "
        "classes or fewer",
        (0.0, 1.0),
    ),
    Metric(
        "exact_match",
        ("multilabel", "sequence"),
        exact_rows,
        ratio,
        True,
        "share of examples of which every label (real step) is right, labels cut at 0.5",
        (0.0, 1.0),
    ),
    Metric(
        "hamming",
        ("multilabel",),
        hamming_rows,
        ratio,
        False,
        "share of labels that are wrong, cut at 0.5",
        (0.0, 1.0),
    ),
)
