"""Whether two sessions say the same."""

from collections.abc import Iterable

import numpy as np

from pomona.export.sessions.session import Session
from pomona.foundation.errors import SpecError
from pomona.tasks.batch import Batch


def check_parity(wanted: Session, got: Session, batches: Iterable[Batch], *, tolerance: float) -> float:
    """The largest difference between the heads of two sessions, relative to the largest entry of the head.

    Raises SpecError, naming the head, when it is above `tolerance`, or shapes or places of NaN differ.
    """
    largest = 0.0
    for batch in batches:
        ours, theirs = wanted.run(batch), got.run(batch)
        for head in ours:
            found = difference(ours[head], theirs[head])
            if not found <= tolerance:
                raise SpecError(
                    f"head {head!r} of the exported network differs from the original by {found:.2g} of its "
                    f"largest value, at most {tolerance:.2g} is let through: use the runtime torch"
                )
            largest = max(largest, found)
    return largest


def difference(wanted: np.ndarray, got: np.ndarray) -> float:
    """Largest absolute difference over the largest absolute value wanted; inf for unlike shapes or NaN."""
    if wanted.shape != got.shape or (np.isnan(wanted) != np.isnan(got)).any():
        return float("inf")
    if not wanted.size:
        return 0.0
    scale = float(np.nanmax(np.abs(wanted), initial=0.0))
    gap = float(np.nanmax(np.abs(wanted.astype(np.float64) - got), initial=0.0))
    return gap / scale if 0 < scale < np.inf else gap
