"""From a head's raw output to a prediction, and from a prediction to what a person reads."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pomona.foundation.errors import DataError, unknown_name
from pomona.tasks.feature import Feature

CLASS_AXIS = {"classify": -1, "segment": 1, "sequence": -1, "language": -1}
"""Where the classes of a head lie, for kinds whose prediction is one class of many."""


def prediction(kind: str, head: np.ndarray, feature: Feature) -> Float[np.ndarray, "batch ..."]:
    """The prediction that a head's raw output means, as the table of `Task` says.

    Half precision becomes float32; float32 and float64 stay. Raises DataError when the head has not the shape
    that the target `feature` asks for.

    >>> feature = Feature("price", "number", (), center=100.0, scale=10.0)
    >>> prediction("regress", np.float32([0.0, 1.0]), feature).tolist()
    [100.0, 110.0]
    """
    check_head(kind, head, feature)
    values = head if head.dtype in (np.float32, np.float64) else head.astype(np.float32)
    if kind in CLASS_AXIS:
        return softmax(values, axis=CLASS_AXIS[kind])
    if kind == "multilabel":
        return sigmoid(values)
    return values * values.dtype.type(feature.scale) + values.dtype.type(feature.center)


def decide(
    kind: str, prediction: np.ndarray, feature: Feature, mask: Bool[np.ndarray, "batch time"] | None = None
) -> list[Any]:
    """What each example's prediction says, one entry an example.

    kind        entry
    classify    the most probable class: its name, or its index where the feature names none
    multilabel  the names of the labels with probability >= 0.5, possibly none
    regress     a number, or nested lists of numbers of the feature's shape
    segment     int64 (height, width): the most probable class of every pixel
    sequence    the most probable class of every step; with a `mask`, of the real steps only
    language    the most probable next token's id at every step; likewise
    forecast    (horizon, features) as nested lists of numbers
    """
    if kind in ("regress", "forecast"):
        return prediction.tolist()
    if kind == "multilabel":
        return [_names(np.flatnonzero(row >= 0.5), feature) for row in prediction]
    if kind not in CLASS_AXIS:
        raise unknown_name("kind of task", kind, (*CLASS_AXIS, "multilabel", "regress", "forecast"))
    best = prediction.argmax(axis=CLASS_AXIS[kind])
    if kind == "classify":
        return _names(best, feature)
    if kind == "segment":
        return list(best)
    steps = best if mask is None else [row[real] for row, real in zip(best, mask, strict=True)]
    return [_names(row, feature) for row in steps]


def check_head(kind: str, head: np.ndarray, feature: Feature) -> None:
    """Raises DataError unless a raw output has the shape and number of classes that the target asks for."""
    shape, num_classes = feature.shape, feature.num_tokens or len(feature.classes) or None
    if kind == "segment":
        wanted = (num_classes, *shape)
    elif kind in CLASS_AXIS:
        wanted = (*shape, num_classes)
    else:
        wanted = shape
    got = head.shape[1:]
    # a feature that names no classes takes any number of them
    if len(got) != len(wanted) or any(w not in (None, g) for w, g in zip(wanted, got, strict=True)):
        shown = ", ".join("classes" if size is None else str(size) for size in wanted)
        raise DataError(
            f"head {feature.name!r} of a {kind} task gives (batch, {shown}), got shape {head.shape}; "
            "build the network for this task"
        )


def softmax(head: Float[np.ndarray, "..."], *, axis: int = -1) -> Float[np.ndarray, "..."]:
    """Probabilities along `axis`; the largest entry is taken off first, so that nothing overflows."""
    powers = np.exp(head - head.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def sigmoid(head: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 / (1 + exp(-head)) without overflow at either end."""
    small = np.exp(-np.abs(head))
    return np.where(head >= 0, 1, small) / (1 + small)


def _names(indices: np.ndarray, feature: Feature) -> list[Any]:
    if not feature.classes:
        return indices.tolist()
    return [feature.classes[index] for index in indices]
