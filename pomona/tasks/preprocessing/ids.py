"""Token ids that are ids already: checked, and given a mask."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import mask_key
from pomona.tasks.preprocessing.step import Step


def fit_ids(column: str, values: Int[np.ndarray, "batch time"], *, output: str = "tokens") -> Step:
    """The step for training ids, in which 0 is padding."""
    settings = {"num_tokens": int(values.max()) + 1, "time": int(values.shape[1])}
    return Step("ids", (column,), output, settings)


def apply_ids(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Ids (batch, time) and the mask of those that are not padding; of only padding the first step is kept.

    Raises DataError for another length and for ids that training did not have.
    """
    ids, settings = np.asarray(raw[step.columns[0]]), step.settings
    if ids.ndim != 2 or ids.shape[1] != settings["time"] or ids.dtype.kind not in "iu":
        raise DataError(
            f"column {step.columns[0]!r} should hold {settings['time']} token ids an example, "
            f"got {ids.dtype} {ids.shape}"
        )
    if ids.size and not 0 <= ids.min() <= ids.max() < settings["num_tokens"]:
        raise DataError(f"column {step.columns[0]!r} holds token ids outside 0..{settings['num_tokens'] - 1}")
    mask = ids != 0
    mask[:, 0] |= ~mask.any(1)
    return {step.output: ids.astype(np.int64), mask_key(step.output): mask}
