"""Which classes it confuses."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.report import matrix, table
from pomona.foundation.statistics import wilson_interval

MOST_CLASSES = 40
"""A matrix of more classes than this cannot be read; the most confused pairs are listed instead."""


def classes_section(
    probabilities: Float[np.ndarray, "batch classes"],
    target: Int[np.ndarray, " batch"],
    classes: tuple[str, ...],
) -> list[dict[str, Any]]:
    """The items of the section: recall with its interval, precision and count a class; the confusions."""
    confusion = confusion_matrix(probabilities.argmax(-1), target, len(classes))
    seen, said, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    rows = []
    for index, name in enumerate(classes):
        if not seen[index]:
            continue
        interval = wilson_interval(int(right[index]), int(seen[index]))
        precision = right[index] / said[index] if said[index] else None
        recall = right[index] / seen[index]
        rows.append([name, int(seen[index]), recall, interval.low, interval.high, precision])
    columns = [
        "class",
        ("examples", "integer"),
        ("recall", "percent"),
        ("low", "percent"),
        ("high", "percent"),
        ("precision", "percent"),
    ]
    items = [table(columns, rows, caption="Recall with its 95 % Wilson interval, on test data.")]
    if len(classes) <= MOST_CLASSES:
        return [*items, matrix(classes, classes, confusion, "predicted", "true", format="integer")]
    return [*items, table(["true", "predicted", ("times", "integer")], _confused(confusion, classes))]


def confusion_matrix(
    predicted: Int[np.ndarray, " batch"], target: Int[np.ndarray, " batch"], num_classes: int
) -> Int[np.ndarray, "true predicted"]:
    """How often each class (row) was taken for each (column)."""
    pairs = np.asarray(target) * num_classes + np.asarray(predicted)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _confused(confusion: Int[np.ndarray, "true predicted"], classes: tuple[str, ...]) -> list[list[Any]]:
    wrong = confusion - np.diag(confusion.diagonal())
    order = np.argsort(wrong, axis=None)[::-1][:30]
    pairs = [divmod(int(flat), len(classes)) for flat in order]
    return [[classes[i], classes[j], int(wrong[i, j])] for i, j in pairs if wrong[i, j]]
