"""What the clock says of a step: where it stands in every season, in the month and in the year."""

import numpy as np
from jaxtyping import Float32, Int64

from pomona.find.forecasting.calendar import wall_times
from pomona.find.forecasting.problem import Panel

MOST_HARMONICS = 3
YEAR_S, MONTH_S = 31_556_952, 2_629_746


def time_features(panel: Panel, steps: Int64[np.ndarray, " step"]) -> Float32[np.ndarray, "step feature"]:
    """Sines and cosines of every season, and of the month and the year where steps are shorter than a month.

    They hang on the number of a step and the clock alone, so those of the future are known.
    """
    freq, times = panel.freq, wall_times(panel, steps)
    number = steps if freq.unit == "step" else _number_of(times, freq.step_months, freq.step_seconds)
    waves = [_waves(number % season / season, season) for season in freq.seasons]
    if freq.step_seconds and freq.unit != "step":
        waves.append(_waves(_since(times, "Y") / YEAR_S, 6))
        waves.append(_waves(_since(times, "M") / MONTH_S, 2))
    if not waves:
        return np.zeros((len(steps), 0), np.float32)
    return np.concatenate(waves, 1).astype(np.float32)


def _number_of(times: np.ndarray, step_months: int, step_seconds: int) -> Int64[np.ndarray, " step"]:
    """Steps since 1970, so that a season begins on the same day or at the same hour in every panel."""
    if step_months:
        return times.astype("datetime64[M]").astype(np.int64) // step_months
    return times.astype(np.int64) // step_seconds


def _since(times: np.ndarray, unit: str) -> Int64[np.ndarray, " step"]:
    """Seconds since the month or the year began."""
    began = times.astype(f"datetime64[{unit}]").astype("datetime64[s]")
    return (times - began).astype(np.int64)


def _waves(phase: np.ndarray, season: float) -> np.ndarray:
    """Sine and cosine of the first harmonics that the season can have."""
    count = int(max(1, min(MOST_HARMONICS, season // 2)))
    angles = 2 * np.pi * phase[:, None] * np.arange(1, count + 1)
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)
