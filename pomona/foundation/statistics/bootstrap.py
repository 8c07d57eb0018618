"""Bootstrap intervals of a mean or of any statistic, of one score or of the difference of two.

Efron 1987, "Better bootstrap confidence intervals": the percentile interval, and BCa, which corrects it for
bias and for a spread that changes with the estimate.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.statistics.interval import Interval, check_level

Statistic = Callable[..., float]

# index arrays are drawn in parts of about this many entries (8 bytes each)
CHUNK_ENTRIES = 2_000_000


def bootstrap_interval(
    *samples: Shaped[np.ndarray, "row ..."],
    generator: np.random.Generator,
    statistic: Statistic | None = None,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "bca",
    num_resamples: int = 2000,
) -> Interval:
    """The interval of `statistic(*samples)`, the mean of the one sample when `statistic` is None.

    Rows are resampled, the same ones in every sample, so that `(scores, targets)` stay together. Cost:
    `num_resamples` calls of the statistic and one more a row for BCa; the mean is done in array code. Raises
    DataError for fewer than two rows, samples of unlike length, or a statistic not finite on some resample.

    A sample without spread gives an interval without width. For a share near 0 or 1 use `wilson_interval`.

    >>> correct = np.array([1.0] * 90 + [0.0] * 10)
    >>> interval = bootstrap_interval(correct, generator=np.random.default_rng(0))
    >>> 0.8 < interval.low < 0.9 < interval.high < 0.96
    True
    """
    check_level(level)
    if method not in ("percentile", "bca"):
        raise SettingError(f"method must be 'percentile' or 'bca', got {method!r}")
    if num_resamples < 100:
        raise SettingError(f"num_resamples must be at least 100 (2000 is usual), got {num_resamples}")
    arrays = _aligned(samples)
    if statistic is None and (len(arrays) != 1 or arrays[0].ndim != 1):
        raise SettingError(
            "the bootstrap of a mean takes one list of numbers; give a statistic for anything else"
        )
    estimates = _resampled(arrays, statistic, generator, num_resamples)
    _check_finite(estimates, "resamples")
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca" and np.ptp(estimates) > 0:
        ends = _corrected_ends(ends, estimates, _evaluate(arrays, statistic), _jackknife(arrays, statistic))
    low, high = np.quantile(estimates, ends)
    return Interval(float(low), float(high), level, f"{method} bootstrap")


def paired_bootstrap_interval(
    first: Shaped[np.ndarray, "row ..."],
    second: Shaped[np.ndarray, "row ..."],
    *,
    generator: np.random.Generator,
    statistic: Statistic | None = None,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "bca",
    num_resamples: int = 2000,
) -> Interval:
    """The interval of `statistic(first) - statistic(second)`, two systems scored on the same rows.

    Pairing takes out what the rows do to both, so the interval is narrower than for unpaired scores.

    >>> worse = np.random.default_rng(0).normal(size=200)
    >>> paired_bootstrap_interval(worse + 0.1, worse, generator=np.random.default_rng(1)).low > 0.09
    True
    """
    options = {"generator": generator, "level": level, "method": method, "num_resamples": num_resamples}
    if statistic is None:
        first, second = _aligned((first, second))
        return bootstrap_interval(first.astype(np.float64) - second.astype(np.float64), **options)

    def difference(first: np.ndarray, second: np.ndarray) -> float:
        return statistic(first) - statistic(second)

    return bootstrap_interval(first, second, statistic=difference, **options)


def _aligned(samples: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    arrays = tuple(np.asarray(sample) for sample in samples)
    lengths = [len(array) if array.ndim else 0 for array in arrays]
    if not lengths or min(lengths) < 2 or len(set(lengths)) > 1:
        raise DataError(
            f"a bootstrap needs samples of one common length of at least 2, got lengths {lengths}"
        )
    return arrays


def _resampled(
    arrays: tuple[np.ndarray, ...],
    statistic: Statistic | None,
    generator: np.random.Generator,
    num_resamples: int,
) -> Float[np.ndarray, " resample"]:
    num_rows = len(arrays[0])
    chunk = max(1, CHUNK_ENTRIES // num_rows)
    parts = []
    for start in range(0, num_resamples, chunk):
        index = generator.integers(0, num_rows, (min(chunk, num_resamples - start), num_rows))
        parts.append(_evaluate_each(arrays, statistic, index))
    return np.concatenate(parts)


def _evaluate_each(
    arrays: tuple[np.ndarray, ...], statistic: Statistic | None, index: Int[np.ndarray, "resample row"]
) -> Float[np.ndarray, " resample"]:
    if statistic is None:
        return arrays[0].astype(np.float64)[index].mean(axis=1)
    return np.array([_evaluate(tuple(array[rows] for array in arrays), statistic) for rows in index])


def _evaluate(arrays: tuple[np.ndarray, ...], statistic: Statistic | None) -> float:
    return float(arrays[0].mean(dtype=np.float64) if statistic is None else statistic(*arrays))


def _jackknife(arrays: tuple[np.ndarray, ...], statistic: Statistic | None) -> Float[np.ndarray, " row"]:
    num_rows = len(arrays[0])
    if statistic is None:
        values = arrays[0].astype(np.float64)
        return (values.sum() - values) / (num_rows - 1)
    left_out = [
        _evaluate(tuple(np.delete(array, row, axis=0) for array in arrays), statistic)
        for row in range(num_rows)
    ]
    return _check_finite(np.array(left_out), "samples with one row left out")


def _corrected_ends(
    ends: Float[np.ndarray, " 2"],
    estimates: Float[np.ndarray, " resample"],
    estimate: float,
    left_out: Float[np.ndarray, " row"],
) -> Float[np.ndarray, " 2"]:
    # Efron 1987, equations 2.3 (ends), 4.1 (bias) and 6.6 (acceleration); ties count by half, as in SciPy
    from scipy.special import ndtr, ndtri

    share_below = ((estimates < estimate).mean() + (estimates <= estimate).mean()) / 2
    if not 0 < share_below < 1:
        raise DataError(
            "BCa needs resamples on both sides of the estimate, got none on one; use method='percentile'"
        )
    bias = ndtri(share_below)
    deviation = left_out.mean() - left_out
    scale = (deviation**2).sum() ** 1.5
    # without spread among the left-out estimates nothing accelerates
    acceleration = (deviation**3).sum() / (6 * scale) if scale > 0 else 0.0
    shifted = bias + ndtri(ends)
    return ndtr(bias + shifted / (1 - acceleration * shifted))


def _check_finite(estimates: np.ndarray, name: str) -> np.ndarray:
    num_bad = int((~np.isfinite(estimates)).sum())
    if num_bad:
        raise DataError(
            f"the statistic is NaN or infinite on {num_bad} of {len(estimates)} {name}; "
            "give one that is defined on every resample, or more rows"
        )
    return estimates
