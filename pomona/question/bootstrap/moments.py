"""After which steps errors are measured: densely at first, then regularly."""

import numpy as np
from jaxtyping import Int


def moments(num_steps: int, num_points: int) -> Int[np.ndarray, " point"]:
    """About `num_points` different numbers of steps up to `num_steps`, which is the last one.

    One half grows by a constant factor, so that the fast beginning is seen; the other half is evenly spaced.

    >>> moments(1000, 8).tolist()
    [1, 10, 100, 250, 500, 750, 1000]
    """
    half = max(num_points // 2, 2)
    dense = np.geomspace(1, num_steps, half)
    regular = np.linspace(max(num_steps / half, 1), num_steps, half)
    return np.unique(np.round(np.concatenate([dense, regular])).astype(np.int64))
