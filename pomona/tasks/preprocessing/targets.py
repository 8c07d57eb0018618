"""Targets: the way from raw values, as a user has them, to the arrays that a head is trained on."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Int, Shaped

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.values import as_numbers, as_text


def encode_target(feature: Feature, values: Shaped[np.ndarray, "batch ..."]) -> Shaped[np.ndarray, "batch ..."]:
    """The array of a target, of the feature's dtype and shape.

    category and mask: class names, or numbers that are class names, become indices; labels: text such as "a|b"
    or rows of 0 and 1 become rows of 0 and 1; other kinds keep their values. Raises DataError for unseen classes,
    missing values and other shapes.
    """
    if feature.kind in ("category", "mask"):
        encoded = class_indices(feature.classes, values)
        if encoded.size and encoded.min() < 0:
            unseen = as_text(np.asarray(values).reshape(-1))[np.flatnonzero(encoded.reshape(-1) < 0)[0]]
            raise DataError(f"target {feature.name!r} is {unseen!r}, which is none of {_listed(feature.classes)}")
    elif feature.kind == "labels" and values.ndim == 1:
        encoded = label_rows(feature.classes, values)
    elif values.dtype == object:
        encoded = as_numbers(values.reshape(-1)).reshape(values.shape)
    else:
        encoded = values
    if encoded.shape[1:] != feature.shape:
        raise DataError(f"target {feature.name!r} has the shape {encoded.shape[1:]}, wanted {feature.shape}")
    if encoded.dtype.kind == "f" and not np.isfinite(encoded).all():
        raise DataError(f"target {feature.name!r} holds missing or infinite values; drop those examples")
    return np.asarray(encoded, feature.dtype)


def class_indices(classes: Iterable[str], values: Shaped[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
    """The index of each value among `classes`, -1 for a missing value and for one that is no class."""
    index_of = {name: index for index, name in enumerate(classes)}
    texts = as_text(np.asarray(values).reshape(-1))
    indices = np.fromiter((index_of.get(text, -1) for text in texts), np.int64, len(texts))
    return indices.reshape(np.shape(values))


def class_names(values: Iterable[str | None]) -> tuple[str, ...]:
    """The distinct values without missing ones, as numbers sort where all are numbers, else alphabetically."""
    names = {value for value in values if value is not None}
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def label_rows(classes: Iterable[str], values: Shaped[np.ndarray, " batch"]) -> Shaped[np.ndarray, "batch classes"]:
    """Rows of 0 and 1 of values such as "a|b"; a missing value holds no class. Raises DataError for others."""
    index_of = {name: index for index, name in enumerate(classes)}
    rows = np.zeros((len(values), len(index_of)), np.float32)
    for row, text in zip(rows, as_text(values), strict=True):
        for name in split_labels(text):
            if name not in index_of:
                raise DataError(f"the label {name!r} is none of {_listed(tuple(index_of))}")
            row[index_of[name]] = 1
    return rows


def split_labels(text: str | None) -> list[str]:
    """The labels of one cell such as "a|b"."""
    return [part.strip() for part in (text or "").split("|") if part.strip()]


def is_known(feature: Feature, values: Shaped[np.ndarray, "batch ..."]) -> Bool[np.ndarray, " batch"]:
    """Whether each raw target can be encoded: present, finite, and of a class that training has."""
    if feature.kind in ("category", "mask"):
        known = class_indices(feature.classes, values) >= 0
    elif feature.kind == "labels" and values.ndim == 1:
        names = set(feature.classes)
        return np.array([names.issuperset(split_labels(text)) for text in as_text(values)], bool)
    elif values.dtype == object:
        known = np.isfinite(as_numbers(values.reshape(-1)).reshape(values.shape))
    else:
        known = np.isfinite(values)
    return known.reshape(len(values), -1).all(1)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
