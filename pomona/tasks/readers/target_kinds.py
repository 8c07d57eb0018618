"""What kind of task the targets of a table make, told from their values, and the targets' features."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int, Shaped

from pomona.foundation.errors import DataError, SettingError
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.targets import class_names, number_target, split_labels
from pomona.tasks.readers.target_values import UNCODED, TargetValues
from pomona.tasks.task import TaskKind

MAX_NUMBERED_CLASSES = 20
"""Whole numbers with at most this many values, each three times on average, are classes."""
MAX_CLASSES = 10_000
TRUTHS = ({"0", "1"}, {"true", "false"}, {"yes", "no"})
KINDS: tuple[TaskKind, ...] = ("classify", "multilabel", "regress", "sequence")


def task_kind(columns: Sequence[TargetValues], kind: TaskKind | None) -> TaskKind:
    """The kind that was asked for, or the one that the values of the targets suggest.

    Raises SettingError when a table cannot be of the kind, DataError when the targets are of unlike kinds.
    """
    if kind is not None and kind not in KINDS:
        raise SettingError(
            f"a table makes a task of kind {', '.join(KINDS)}; {kind} needs an npz file of arrays"
        )
    for column in columns:
        if not column.is_present.any():
            raise DataError(f"the target {column.name!r} is missing in every row; name another column")
    if kind is not None:
        return kind
    if len(columns) > 1 and all(_is_truth(column) for column in columns):
        return "multilabel"
    kinds: dict[str, TaskKind] = {column.name: _told_kind(column) for column in columns}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name!r}: {one}" for name, one in kinds.items())
        raise DataError(f"the targets are of unlike kinds ({told}); give --kind, or fewer targets")
    return kinds[columns[0].name]


def target_feature(column: TargetValues, kind: TaskKind, train: Int[np.ndarray, " kept"]) -> Feature:
    """The feature of one target from its training rows. Raises DataError when they teach nothing."""
    if kind == "regress":
        return _number_feature(column, train)
    counts = column.distinct(train)
    if (column.codes == UNCODED).any():
        raise DataError(f"the target {column.name!r} has too many different values; is it an id?")
    if kind == "sequence":
        names = class_names(word for text in counts for word in text.split())
        time = max(len(text.split()) for text in counts)
        return Feature(column.name, "category", (time,), classes=_checked(column.name, names), variable=True)
    if kind == "multilabel":
        names = _checked(column.name, class_names(name for text in counts for name in split_labels(text)))
        return Feature(column.name, "labels", (len(names),), classes=names)
    num_rows = sum(counts.values())
    if len(counts) > MAX_NUMBERED_CLASSES and len(counts) > num_rows / 2:
        raise DataError(
            f"the target {column.name!r} has {len(counts)} different values in {num_rows} rows; it looks "
            "like an id or free text: name another column"
            + ("" if not column.is_number else ", or give --kind regress")
        )
    return Feature(column.name, "category", (), classes=_checked(column.name, class_names(counts)))


def are_classes(numbers: Shaped[np.ndarray, " present"]) -> bool:
    """Whether numbers are classes and no quantities: two different ones, or few whole ones, each often."""
    distinct = np.unique(numbers)
    is_few = len(distinct) <= MAX_NUMBERED_CLASSES and len(numbers) >= 3 * len(distinct)
    return len(distinct) <= 2 or (is_few and bool((distinct == np.round(distinct)).all()))


def joined_labels(columns: Sequence[TargetValues]) -> TargetValues:
    """Columns of truths (0 or 1, true or false, yes or no) as one column of labels, named `labels`."""
    for column in columns:
        if not _is_truth(column):
            raise DataError(
                f"the target {column.name!r} is one of several classes: wanted only 0 and 1 in it"
            )
    is_true = np.stack([_truths(column) for column in columns], axis=1)
    bits, codes = np.unique(is_true, axis=0, return_inverse=True)
    texts = tuple(
        "|".join(column.name for column, bit in zip(columns, row, strict=True) if bit) for row in bits
    )
    codes = np.where(np.all([column.is_present for column in columns], axis=0), codes, -1)
    return TargetValues("labels", np.full(len(codes), np.nan), codes.astype(np.int32), texts)


def with_empty_labels(column: TargetValues) -> TargetValues:
    """The column with a missing cell meaning that no label holds."""
    codes = np.where(column.codes == -1, len(column.texts), column.codes)
    return replace(column, codes=codes, texts=(*column.texts, ""))


def class_counts(
    features: Mapping[str, Feature], columns: Mapping[str, TargetValues], rows: np.ndarray
) -> str:
    """How many examples each class of each target has, in words."""
    told = []
    for name, feature in features.items():
        counts: Counter[str] = Counter()
        for text, count in columns[name].distinct(rows).items():
            counts.update(dict.fromkeys(split_labels(text) if feature.kind == "labels" else [text], count))
        more = f" and {len(counts) - 10} more" if len(counts) > 10 else ""
        told.append(
            f"{name}: " + ", ".join(f"{text} {count}" for text, count in counts.most_common(10)) + more
        )
    return "; ".join(told)


def _told_kind(column: TargetValues) -> TaskKind:
    if column.vectors is not None:
        return "regress"
    if column.is_number:
        return "classify" if are_classes(column.numbers[column.is_present]) else "regress"
    # labels come again in other cells, unlike the parts of a name that happens to have a bar in it
    counts = Counter(part for text in column.texts for part in set(split_labels(text)))
    several = [part for text in column.texts if len(parts := split_labels(text)) > 1 for part in parts]
    return "multilabel" if any(counts[part] > 1 for part in several) else "classify"


def _number_feature(column: TargetValues, train: Int[np.ndarray, " kept"]) -> Feature:
    if column.vectors is not None:
        return number_target(column.name, column.vectors[train])
    if not column.is_number:
        raise DataError(
            f"the target {column.name!r} is not of numbers (it has {column.texts[0]!r}); give --kind classify"
        )
    feature = number_target(column.name, column.numbers[train])
    if np.ptp(column.numbers[train]) == 0:
        raise DataError(
            f"the target {column.name!r} is {feature.center:g} in every training row; nothing to learn"
        )
    return feature


def _checked(name: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    if len(classes) < 2:
        only = f"only one class in training, {classes[0]!r}" if classes else "no class in training"
        raise DataError(f"the target {name!r} has {only}; wanted two or more")
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"the target {name!r} has {len(classes)} classes; at most {MAX_CLASSES} can be told apart"
        )
    return classes


def _is_truth(column: TargetValues) -> bool:
    return column.vectors is None and any({text.lower() for text in column.texts} <= pair for pair in TRUTHS)


def _truths(column: TargetValues) -> Bool[np.ndarray, " row"]:
    is_true = np.array([text.lower() in ("1", "true", "yes") for text in (*column.texts, "")], bool)
    return is_true[column.codes]
