"""Targets: the way from raw values, as a user has them, to the arrays that a head is trained on."""

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Bool, Int, Shaped

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.preprocessing.values import as_numbers, as_text


def encode_targets(targets: Mapping[str, Feature], raw: Mapping[str, np.ndarray]) -> Batch:
    """The arrays of all targets and the masks of those of variable length, taken from `raw` where there."""
    encoded = {name: encode_target(feature, raw[name]) for name, feature in targets.items()}
    for name, feature in targets.items():
        if feature.variable and mask_key(name) in raw:
            encoded[mask_key(name)] = raw[mask_key(name)]
        elif feature.variable:
            lengths = [len((text or "").split()[: feature.shape[0]]) for text in as_text(raw[name])]
            encoded[mask_key(name)] = np.arange(feature.shape[0]) < np.asarray(lengths)[:, None]
    return encoded


def encode_target(
    feature: Feature, values: Shaped[np.ndarray, "batch ..."]
) -> Shaped[np.ndarray, "batch ..."]:
    """The array of a target, of the feature's dtype and shape.

    category and mask: class names, or numbers that are class names, become indices, and a category for every
    step may be text with spaces between the names ("noun verb"); labels: text such as "a|b" or rows of 0 and
    1 become rows of 0 and 1; other kinds keep their values. Raises DataError for unseen classes, missing
    values and other shapes.
    """
    if feature.kind == "category" and feature.shape and values.ndim == 1:
        values = _steps(feature, values)
    if feature.kind in ("category", "mask"):
        encoded = class_indices(feature.classes, values)
        if encoded.size and encoded.min() < 0:
            unseen = as_text(np.asarray(values).reshape(-1))[np.flatnonzero(encoded.reshape(-1) < 0)[0]]
            raise DataError(
                f"target {feature.name!r} is {unseen!r}, which is none of {_listed(feature.classes)}"
            )
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
    """The distinct values without missing ones, sorted as numbers where all are, else alphabetically.

    >>> class_names(["10", "9", None, "9"])
    ('9', '10')
    """
    names = {value for value in values if value is not None}
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def label_rows(
    classes: Iterable[str], values: Shaped[np.ndarray, " batch"]
) -> Shaped[np.ndarray, "batch classes"]:
    """Rows of 0 and 1 of values such as "a|b"; a missing value holds none. Raises DataError for others."""
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
    if feature.kind == "category" and feature.shape and values.ndim == 1:
        known = class_indices(feature.classes, _steps(feature, values)) >= 0
    elif feature.kind in ("category", "mask"):
        known = class_indices(feature.classes, values) >= 0
    elif feature.kind == "labels" and values.ndim == 1:
        names = set(feature.classes)
        return np.array([names.issuperset(split_labels(text)) for text in as_text(values)], bool)
    elif values.dtype == object:
        known = np.isfinite(as_numbers(values.reshape(-1)).reshape(values.shape))
    else:
        known = np.asarray(np.isfinite(values))
    return np.asarray(known.reshape(len(values), -1).all(1))


def number_target(name: str, values: Shaped[np.ndarray, "batch ..."], *, unit: str = "") -> Feature:
    """The feature of numbers such as these training values, with their mean and deviation."""
    numbers = np.asarray(values, np.float64)
    scale = float(numbers.std())
    return Feature(
        name,
        "number",
        numbers.shape[1:],
        unit=unit,
        center=float(numbers.mean()),
        scale=scale if scale > 0 else 1.0,
    )


def category_target(name: str, values: Shaped[np.ndarray, " batch"]) -> Feature:
    """The feature of classes such as these training values, in the order of `class_names`."""
    return Feature(name, "category", (), classes=class_names(as_text(values)))


def _steps(feature: Feature, values: Shaped[np.ndarray, " batch"]) -> Shaped[np.ndarray, "batch time"]:
    """The names of each step; the padding after them has the first class."""
    rows = np.full((len(values), feature.shape[0]), feature.classes[0], object)
    for row, text in zip(rows, as_text(values), strict=True):
        names = (text or "").split()[: len(row)]
        row[: len(names)] = names
    return rows


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
