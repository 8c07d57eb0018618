"""Intervals in closed form: Wilson's for a share, Student's for a mean over a few seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real

from pomona.foundation.errors import DataError, SettingError


@dataclass(frozen=True)
class Interval:
    """A confidence interval; `low <= high`, in the unit of the estimate."""

    low: float
    high: float
    level: float  # the share of repetitions whose interval covers the truth, in (0, 1)
    method: str


def wilson_interval(num_successes: int, num_trials: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share, such as an accuracy; sound at 0 and 1 and for few trials.

    Wilson 1927, equation 4. Raises DataError unless 0 <= num_successes <= num_trials and num_trials > 0.

    >>> interval = wilson_interval(354, 360)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.9641, 0.9923)
    """
    from scipy.special import ndtri

    check_level(level)
    if num_trials < 1 or not 0 <= num_successes <= num_trials:
        raise DataError(
            f"a Wilson interval needs 0 <= num_successes <= num_trials and num_trials > 0, "
            f"got {num_successes} of {num_trials}"
        )
    z = float(ndtri((1 + level) / 2))
    share = num_successes / num_trials
    centre = (share + z**2 / (2 * num_trials)) / (1 + z**2 / num_trials)
    spread = (
        z * np.sqrt(share * (1 - share) / num_trials + z**2 / (4 * num_trials**2)) / (1 + z**2 / num_trials)
    )
    # at the ends the bound is 0 or 1 exactly, which rounding would miss
    low = 0.0 if num_successes == 0 else float(centre - spread)
    high = 1.0 if num_successes == num_trials else float(centre + spread)
    return Interval(low, high, level, "wilson")


def t_interval(
    values: Real[np.ndarray, " member"] | Sequence[float | int], *, level: float = 0.95
) -> Interval:
    """Student's interval of the mean of `values`, one value a seed; exact when they are normal.

    It covers the luck of the seeds only, not that of the test set: every seed is scored on the same examples.
    Raises DataError for fewer than two values or a value that is not finite.

    >>> interval = t_interval([0.991, 0.994, 0.989, 0.992, 0.994])
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.9894, 0.9946)
    """
    from scipy.special import stdtrit

    check_level(level)
    sample = finite_rows(values, "a t interval")
    if sample.ndim != 1:
        raise DataError(f"a t interval needs a list of numbers, got an array of shape {sample.shape}")
    half = stdtrit(len(sample) - 1, (1 + level) / 2) * sample.std(ddof=1) / np.sqrt(len(sample))
    return Interval(float(sample.mean() - half), float(sample.mean() + half), level, "t")


def check_level(level: float) -> None:
    """Raises SettingError unless `level` lies in (0, 1)."""
    if not 0 < level < 1:
        raise SettingError(f"level must lie strictly between 0 and 1 (0.95 is usual), got {level}")


def finite_rows(values: object, purpose: str) -> np.ndarray:
    """`values` as a float64 array of at least two rows, all finite; a DataError names `purpose` if not."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or len(array) < 2:
        raise DataError(f"{purpose} needs at least 2 values, got {array.size}: collect more of them")
    num_bad = int((~np.isfinite(array)).sum())
    if num_bad:
        raise DataError(f"{purpose} needs finite values, got {num_bad} NaN or infinite of {array.size}")
    return array
