"""What arrays of an npz file hold, told by type and shape: steps for inputs, features for targets."""

from collections.abc import Mapping

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.arrays import fit_series, fit_vector
from pomona.tasks.preprocessing.ids import fit_ids
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.targets import category_target, class_names, number_target
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.preprocessing.values import as_text
from pomona.tasks.readers.target_kinds import are_classes
from pomona.tasks.task import TaskKind


def array_task_kind(targets: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]) -> TaskKind:
    """The kind of task that training targets suggest. Raises DataError when they suggest unlike kinds."""
    kinds: dict[str, TaskKind] = {name: _told_kind(values, inputs) for name, values in targets.items()}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name!r}: {kind}" for name, kind in kinds.items())
        raise DataError(f"the targets are of unlike kinds ({told}); give --kind, or fewer targets")
    return next(iter(kinds.values()))


def fit_array(name: str, values: np.ndarray, kind: TaskKind) -> Step:
    """The step for a training array (batch, …) of a task of some kind. Raises DataError for other shapes.

    shape                                type              input
    (batch,)                             text              tokens
    (batch,) or (batch, features)        numbers           vector; series for forecast, ids for language
    (batch, height, width)               8 or 16 bits, or  image
                                         square
    (batch, time, features)              other numbers     series
    (batch, height, width, channels)     numbers           image, channels first or last
    """
    if values.dtype.kind in "OUS" and values.ndim == 1:
        return fit_tokens(name, values, output=name)
    if values.dtype.kind not in "buif":
        raise DataError(
            f"the array {name!r} is of type {values.dtype} and shape {values.shape}; wanted numbers"
        )
    if values.ndim == 2 and values.dtype.kind in "iu" and kind in ("language", "sequence"):
        return fit_ids(name, values, output=name)
    if values.ndim == 2 and kind in ("forecast", "sequence"):
        return fit_series(name, values, output=name)
    if values.ndim in (1, 2):
        return fit_vector(name, values, output=name)
    if values.ndim == 4 or (values.ndim == 3 and _is_image(values, kind)):
        return fit_image(name, values, output=name)
    if values.ndim == 3:
        return fit_series(name, values, output=name)
    raise DataError(f"the array {name!r} has the shape {values.shape}; wanted vectors, series or images")


def array_target(name: str, values: np.ndarray, kind: TaskKind) -> Feature:
    """The feature of a training target. Raises DataError when its shape or values do not suit the kind."""
    shape = values.shape[1:]
    if kind == "classify" and values.ndim == 1:
        feature = category_target(name, values)
    elif kind == "multilabel" and values.ndim == 2:
        classes = tuple(str(index) for index in range(shape[0]))
        return Feature(name, "labels", shape, classes=classes)
    elif kind == "regress" and values.dtype.kind in "biuf":
        return number_target(name, values)
    elif kind in ("segment", "sequence") and values.ndim == {"segment": 3, "sequence": 2}[kind]:
        classes = class_names(as_text(np.unique(values)))
        feature = Feature(name, "mask" if kind == "segment" else "category", shape, classes=classes)
    elif kind == "language" and values.ndim == 2 and values.dtype.kind in "iu":
        return Feature(name, "tokens", shape, num_tokens=int(values.max()) + 1)
    elif kind == "forecast" and values.ndim == 3 and values.dtype.kind in "iuf":
        return Feature(name, "series", shape, center=float(values.mean()), scale=float(values.std()) or 1.0)
    else:
        raise DataError(
            f"the target {name!r} is {values.dtype} of the shape {values.shape}, which {kind} cannot have"
        )
    if len(feature.classes) < 2:
        raise DataError(
            f"the target {name!r} has only one class in training, {feature.classes}; wanted two or more"
        )
    return feature


def _told_kind(values: np.ndarray, inputs: Mapping[str, np.ndarray]) -> TaskKind:
    shapes = [array.shape for array in inputs.values()]
    if values.dtype.kind in "OUSb" and values.ndim == 1:
        return "classify"
    if values.ndim == 1:
        return "classify" if are_classes(values[np.isfinite(values)]) else "regress"
    if values.ndim == 2 and np.isin(values, (0, 1)).all():
        return "multilabel"
    is_whole = values.dtype.kind in "iu"
    if (
        values.ndim == 3
        and is_whole
        and any(values.shape[1:] in (shape[1:3], shape[2:4]) for shape in shapes)
    ):
        return "segment"
    if (
        values.ndim == 2
        and is_whole
        and any(values.shape[1:2] == shape[1:2] and len(shape) == 3 for shape in shapes)
    ):
        return "sequence"
    if values.ndim == 3 and any(len(shape) == 3 and shape[2] == values.shape[2] for shape in shapes):
        return "forecast"
    return "regress"


def _is_image(values: np.ndarray, kind: TaskKind) -> bool:
    if kind in ("forecast", "sequence"):
        return False
    return (
        kind == "segment"
        or values.dtype.name in ("uint8", "uint16", "bool")
        or values.shape[1] == values.shape[2]
    )
