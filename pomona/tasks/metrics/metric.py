"""What a metric is, and the shapes that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

Rows = Float[np.ndarray, "batch statistic"]
Weight = np.ndarray | None


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are, made of one row of statistics an example.

    `rows(prediction, target, weight, mask)` and `value(rows)`: the rows of batches joined give the value of
    the whole, and rows drawn again give a bootstrap. `value` is None where the metric has no meaning: no
    example, one class only; a metric that does not fit a target at all makes rows without columns.
    """

    name: str
    kinds: tuple[str, ...]
    """The kinds of task it is for."""
    rows: Callable[..., Rows]
    value: Callable[[Rows], float | None]
    greater_is_better: bool
    formula: str
    """What it is, in words."""
    range: tuple[float, float]
    unit: str = ""
    """Of its value; "target" is the unit of the target, "" a pure number."""
    needs: tuple[str, ...] = ()
    """Further keyword arguments of `rows`: "past", the series (batch, time, features) before the forecast."""


def ratio(rows: Rows) -> float | None:
    """Sum of the first column by the sum of the second: the weighted mean. None when nothing counts."""
    if rows.shape[1] == 0:
        return None
    numerator, denominator = rows.sum(axis=0)
    return float(numerator / denominator) if denominator > 0 else None


def weighted(rows: np.ndarray, weight: Weight) -> Rows:
    """The rows in float64, each times its example's weight."""
    rows = rows.astype(np.float64)
    return rows if weight is None else rows * np.asarray(weight, np.float64)[:, None]


def no_rows(prediction: np.ndarray) -> Rows:
    """The rows of a metric that has no meaning for a target."""
    return np.empty((len(prediction), 0))


def is_multilabel(prediction: np.ndarray, target: np.ndarray) -> bool:
    """Whether the target says yes or no for every class, rather than which class it is."""
    return prediction.shape == target.shape


def class_units(
    prediction: np.ndarray, target: np.ndarray, mask: np.ndarray | None
) -> tuple[
    Float[np.ndarray, "batch unit classes"], Int[np.ndarray, "batch unit"], Bool[np.ndarray, "batch unit"]
]:
    """Probabilities, classes and which units are real, where a unit is an example, a step or a pixel."""
    # only a segmentation has two axes besides the batch, and its classes come before height and width
    probabilities = np.moveaxis(prediction, 1, -1) if target.ndim == 3 else prediction
    labels = target.reshape(len(target), int(np.prod(target.shape[1:]))).astype(np.int64)
    real = np.ones(labels.shape, bool) if mask is None else mask.reshape(labels.shape)
    return probabilities.reshape(*labels.shape, probabilities.shape[-1]), labels, real


def real_values(array: np.ndarray, mask: np.ndarray | None) -> Bool[np.ndarray, "batch value"]:
    """Which numbers of (batch, …) are real, flattened an example; `mask` covers an example's first axes."""
    if mask is None:
        return np.ones((len(array), int(np.prod(array.shape[1:]))), bool)
    wide = mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
    return np.broadcast_to(wide, array.shape).reshape(len(array), int(np.prod(array.shape[1:])))
