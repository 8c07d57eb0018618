"""Arrays of numbers, a vector or a series an example: standardised by feature, NaN becoming the mean."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import mask_key
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.values import as_numbers


def fit_vector(column: str, values: np.ndarray, *, output: str = "vector") -> Step:
    """The step for training vectors (batch, …): axes after the first are flattened."""
    return Step("vector", (column,), output, _moments(_flat(values, column)))


def apply_vector(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Standardised vectors (batch, features), float32. Raises DataError for another number of features."""
    column = step.columns[0]
    return {step.output: _standardised(_flat(raw[column], column), step)}


def fit_series(column: str, values: np.ndarray, *, output: str = "series", time: int | None = None) -> Step:
    """The step for training series (batch, time[, features]) or an object array of (time[, features]).

    Series of unlike length are padded to the longest of training, or to `time`, and get a mask.
    """
    series = _each_series(values, column)
    lengths = {len(one) for one in series}
    longest = time or max(lengths)
    settings = _moments(np.concatenate(series))
    return Step("series", (column,), output, settings | {"time": longest, "variable": lengths != {longest}})


def apply_series(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Standardised series (batch, time, features), float32, and where lengths vary a mask of the real steps.

    Longer series keep their last steps. A series without steps has one step of zeros.
    """
    column, settings = step.columns[0], step.settings
    series = _each_series(raw[column], column)
    padded = np.zeros((len(series), settings["time"], len(settings["mean"])), np.float32)
    mask = np.zeros(padded.shape[:2], bool)
    for index, one in enumerate(series):
        one = one[-settings["time"] :]
        if not settings["variable"] and len(one) != settings["time"]:
            raise DataError(f"column {column!r}: a series has {len(one)} steps, wanted {settings['time']}")
        padded[index, : len(one)] = _standardised(one, step)
        mask[index, : max(len(one), 1)] = True
    return {step.output: padded} | ({mask_key(step.output): mask} if settings["variable"] else {})


def _moments(rows: Float[np.ndarray, "row features"]) -> dict[str, list[float]]:
    present = np.isfinite(rows)
    count = np.maximum(present.sum(0), 1)
    mean = np.where(present, rows, 0).sum(0, dtype=np.float64) / count
    variance = (np.where(present, rows - mean, 0) ** 2).sum(0, dtype=np.float64) / count
    std = np.sqrt(variance)
    return {"mean": mean.tolist(), "std": np.where(std > 1e-12 * np.maximum(1, abs(mean)), std, 1.0).tolist()}


def _standardised(rows: np.ndarray, step: Step) -> Float[np.ndarray, "row features"]:
    mean, std = np.asarray(step.settings["mean"]), np.asarray(step.settings["std"])
    if rows.shape[1] != len(mean):
        raise DataError(f"column {step.columns[0]!r} has {rows.shape[1]} features, wanted {len(mean)}")
    values = (rows - mean) / std
    return np.where(np.isfinite(values), values, 0).astype(np.float32)


def _flat(values: np.ndarray, column: str) -> np.ndarray:
    if values.dtype == object:
        values = _stacked(values, column)
    return values.reshape(len(values), -1)


def _stacked(values: np.ndarray, column: str) -> np.ndarray:
    shapes = {np.shape(value) for value in values}
    if len(shapes) > 1:
        few = ", ".join(map(str, sorted(shapes)[:3]))
        raise DataError(f"column {column!r} holds vectors of unequal shapes ({few}, …); make them equal")
    return as_numbers(values) if shapes == {()} else np.stack([np.asarray(value) for value in values])


def _each_series(values: np.ndarray, column: str) -> Sequence[np.ndarray]:
    series = [np.asarray(one, np.float64) for one in values]
    series = [one[:, None] if one.ndim == 1 else one for one in series]
    if len({one.shape[1:] for one in series}) > 1 or any(one.ndim != 2 for one in series):
        raise DataError(
            f"column {column!r}: a series is (time,) or (time, features), all with the same features"
        )
    return series
