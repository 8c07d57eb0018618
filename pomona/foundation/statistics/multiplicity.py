"""p-values adjusted for having asked many questions at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError


def holm(p_values: Float[np.ndarray, " test"] | Sequence[float]) -> Float[np.ndarray, " test"]:
    """Adjusted p-values; calling those <= alpha real makes any false call with chance <= alpha (Holm 1979).

    Holds however the tests depend on each other.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return adjusted


def benjamini_hochberg(p_values: Float[np.ndarray, " test"] | Sequence[float]) -> Float[np.ndarray, " test"]:
    """Adjusted p-values; of those <= alpha an expected share of at most alpha is false.

    Benjamini and Hochberg 1995. Holds for independent or positively dependent tests.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")
    factors = len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate((values[order] * factors)[::-1])[::-1]
    return adjusted


def _checked(p_values: object) -> np.ndarray:
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DataError(
            f"p-values must be a list of numbers in [0, 1], got {np.array2string(values, threshold=6)}"
        )
    return values
