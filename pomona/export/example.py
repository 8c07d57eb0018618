"""Batches made up from a task's features: to trace, to compare and to time networks without the data."""

from collections.abc import Mapping

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature, mask_key


def random_batch(
    features: Mapping[str, Feature], num_examples: int, *, generator: np.random.Generator
) -> Batch:
    """Inputs of the right shapes, dtypes and ranges, with masks of every length from 1 up."""
    batch: Batch = {}
    for name, feature in features.items():
        shape = (num_examples, *feature.shape)
        if feature.dtype == "int64":
            lowest = 1 if feature.kind == "tokens" else 0
            highest = feature.num_tokens or len(feature.classes)
            batch[name] = generator.integers(min(lowest, highest - 1), highest, shape)
        elif feature.kind == "labels":
            batch[name] = generator.integers(0, 2, shape).astype(np.float32)
        else:
            batch[name] = generator.standard_normal(shape).astype(np.float32)
        if feature.variable:
            lengths = generator.integers(1, feature.shape[0] + 1, num_examples)
            batch[mask_key(name)] = np.arange(feature.shape[0]) < lengths[:, None]
            # padding holds zeros, as preprocessing leaves it
            real = batch[mask_key(name)].reshape(num_examples, -1, *(1 for _ in feature.shape[1:]))
            batch[name] = np.where(real, batch[name], 0).astype(feature.dtype)
    return batch


def input_names(features: Mapping[str, Feature]) -> tuple[str, ...]:
    """The keys of a batch that a network reads: every input, and its mask where it is variable."""
    return tuple(
        key
        for name, feature in features.items()
        for key in ((name, mask_key(name)) if feature.variable else (name,))
    )
