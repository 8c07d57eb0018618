"""Tasks whose inputs are made as ids of tokens: nothing is read, nothing needs to be prepared."""

from collections.abc import Mapping

import numpy as np

from pomona.tasks.assemble import fingerprint
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.source import ArraySource, PreparedSource
from pomona.tasks.task import Task, TaskKind


def task_of_tokens(
    name: str,
    kind: TaskKind,
    splits: Mapping[str, Batch],
    tokens: Feature,
    target: Feature,
    *,
    about: str,
    licence: str = "CC0-1.0",
    notes: tuple[str, ...] = (),
) -> Task:
    """The task of batches that hold `tokens` and `target` as a network reads them, of any integer dtype."""
    held = {split: {name: _narrow(array) for name, array in batch.items()} for split, batch in splits.items()}
    return Task(
        name=name,
        kind=kind,
        inputs={tokens.name: tokens},
        targets={target.name: target},
        splits={split: PreparedSource(ArraySource(batch), _wide) for split, batch in held.items()},
        metrics=DEFAULT_METRICS[kind],
        preprocessing=Preprocessing(),
        fingerprint=fingerprint(name, kind, {tokens.name: tokens, target.name: target}, splits),
        about=about,
        licence=licence,
        notes=notes,
    )


def split_sizes(num_train: int) -> dict[str, int]:
    """Examples a split: a fifth as many in valid and test as in train."""
    return {"train": num_train, "valid": max(num_train // 5, 1), "test": max(num_train // 5, 1)}


def index_classes(num_classes: int) -> tuple[str, ...]:
    """Classes that are called by their number."""
    return tuple(map(str, np.arange(num_classes)))


def _narrow(array: np.ndarray) -> np.ndarray:
    """In a quarter of the memory or less: ids are small."""
    return array if array.dtype == bool or (array.size and array.max() > 0xFFFF) else array.astype(np.uint16)


def _wide(batch: Batch) -> Batch:
    return {name: array if array.dtype == bool else array.astype(np.int64) for name, array in batch.items()}
