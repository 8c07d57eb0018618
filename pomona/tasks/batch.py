"""A batch: named NumPy arrays with one leading axis.

Keys are feature names, `mask_key(name)` for variable features, and three reserved ones: `weight` (float32,
how much an example counts), `group` (int64, examples that must stay together) and `id` (int64, stable).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature, mask_key

Batch = dict[str, np.ndarray]

RESERVED = ("weight", "group", "id")


def batch_size(batch: Mapping[str, np.ndarray]) -> int:
    """How many examples a batch holds. Raises DataError when its arrays disagree or there are none."""
    sizes = {name: len(array) for name, array in batch.items()}
    if not sizes:
        raise DataError("a batch needs at least one array, got none")
    if len(set(sizes.values())) > 1:
        raise DataError(f"the arrays of a batch have one length, got {sizes}")
    return next(iter(sizes.values()))


def join_batches(batches: Sequence[Mapping[str, np.ndarray]]) -> Batch:
    """The batches one after another."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def take(batch: Mapping[str, np.ndarray], ids: np.ndarray) -> Batch:
    """The examples at positions `ids`."""
    return {name: array[ids] for name, array in batch.items()}


def check_batch(batch: Mapping[str, np.ndarray], features: Mapping[str, Feature]) -> None:
    """Raises DataError unless every feature is there with its shape, its dtype and finite values."""
    batch_size(batch)
    for name, feature in features.items():
        if name not in batch:
            raise DataError(f"the batch lacks {name!r}; it has {sorted(batch)}")
        array = batch[name]
        if array.shape[1:] != feature.shape:
            raise DataError(f"{name!r} has shape {array.shape[1:]} an example, the task says {feature.shape}")
        if array.dtype.name != feature.dtype:
            raise DataError(f"{name!r} has dtype {array.dtype}, the task says {feature.dtype}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"{name!r} holds NaN or infinite values")
        if feature.variable and mask_key(name) not in batch:
            raise DataError(f"{name!r} has variable length: the batch needs {mask_key(name)!r}")
        if (
            feature.classes
            and array.dtype.kind == "i"
            and array.size
            and not 0 <= array.min() <= array.max() < len(feature.classes)
        ):
            raise DataError(f"{name!r} holds class indices outside 0..{len(feature.classes) - 1}")
