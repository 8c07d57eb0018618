"""Tasks from arrays: raw splits and targets in, a Task out."""

import hashlib
from collections.abc import Mapping

import numpy as np

from pomona.foundation.files import to_json
from pomona.tasks.batch import RESERVED, Batch
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.features import input_features
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import encode_targets
from pomona.tasks.source import ArraySource, PreparedSource
from pomona.tasks.task import Task, TaskKind


def task_of_arrays(
    name: str,
    kind: TaskKind,
    splits: Mapping[str, Batch],
    preprocessing: Preprocessing,
    targets: Mapping[str, Feature],
    *,
    about: str = "",
    licence: str = "",
    notes: tuple[str, ...] = (),
) -> Task:
    """A task whose examples are in memory, as raw arrays keyed by column.

    A target has its column's name, and no input column has it. Target masks and the reserved arrays of a
    batch are kept.

    Images stay raw and are prepared batch by batch (a quarter of the memory), all else is prepared once.
    """
    features = input_features(preprocessing, splits["train"])
    return Task(
        name=name,
        kind=kind,
        inputs=features,
        targets=dict(targets),
        splits={split: _source(raw, preprocessing, targets) for split, raw in splits.items()},
        metrics=DEFAULT_METRICS[kind],
        preprocessing=preprocessing,
        fingerprint=fingerprint(name, kind, {**features, **targets}, splits),
        about=about,
        licence=licence,
        notes=notes,
    )


def fingerprint(
    name: str, kind: str, features: Mapping[str, Feature], splits: Mapping[str, Mapping[str, np.ndarray]]
) -> str:
    """A hash of the name, the schema and every value of the splits."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(to_json([name, kind, [feature.to_json() for feature in features.values()]]).encode())
    for split, arrays in splits.items():
        for column, values in arrays.items():
            digest.update(f"{split}\x1f{column}\x1f{values.dtype}\x1f{values.shape}".encode())
            if values.dtype == object:
                for value in values:
                    digest.update(
                        value.tobytes() if isinstance(value, np.ndarray) else str(value).encode() + b"\x1f"
                    )
            else:
                digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _source(
    raw: Batch, preprocessing: Preprocessing, targets: Mapping[str, Feature]
) -> ArraySource | PreparedSource:
    beside = encode_targets(targets, raw) | {key: raw[key] for key in RESERVED if key in raw}
    inputs = {column: raw[column] for column in preprocessing.columns}
    if not any(step.kind == "image" for step in preprocessing.steps):
        return ArraySource(preprocessing.apply(inputs) | beside)

    def prepare(batch: Batch) -> Batch:
        return preprocessing.apply(batch) | {key: batch[key] for key in beside}

    return PreparedSource(ArraySource(inputs | beside), prepare)
