"""`seasonal-series`: the next 12 values of series with two seasons, a trend and noise (forecasting)."""

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.arrays import fit_series
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

TIME, HORIZON = 48, 12
PERIODS = (12, 36)
NOISE = 0.3
"""Standard deviation of what no method can foresee; the seasons have amplitudes of 0.5 … 2."""
SPANS = {"train": (0.0, 0.7), "valid": (0.7, 0.85), "test": (0.85, 1.0)}
"""What is to be foreseen lies in this part of the time: validation and test are in the future."""


def make(*, seed: int = 0, num_series: int = 24, length: int = 480) -> Task:
    """The task; a window starts every 4 steps, and the numbers of the series are its groups."""
    series = draw_series(stream(seed, "series"), num_series, length)
    splits = {
        split: _windows(series, *(int(length * edge) for edge in span)) for split, span in SPANS.items()
    }
    future = splits["train"]["future"]
    target = Feature("future", "series", (HORIZON, 1), center=float(future.mean()), scale=float(future.std()))
    return task_of_arrays(
        "seasonal-series",
        "forecast",
        splits,
        Preprocessing((fit_series("past", splits["train"]["past"], output="past"),)),
        {"future": target},
        about="the next 12 values of seasonal series (procedural)",
        licence="CC0-1.0",
    )


def draw_series(
    generator: np.random.Generator, num_series: int, length: int
) -> Float[np.ndarray, "series time"]:
    """Series with a level, a slow trend, seasons of both periods with their own phases, and white noise."""
    time = np.arange(length)
    level = generator.normal(0, 1, (num_series, 1))
    trend = generator.normal(0, 1, (num_series, 1)) * time / length
    values = level + trend + NOISE * generator.standard_normal((num_series, length))
    for period in PERIODS:
        amplitude = generator.uniform(0.5, 2.0, (num_series, 1))
        phase = generator.uniform(0, 2 * np.pi, (num_series, 1))
        values += amplitude * np.sin(2 * np.pi * time / period + phase)
    return values


def _windows(series: Float[np.ndarray, "series time"], start: int, stop: int) -> Batch:
    """Windows whose future lies in [start, stop)."""
    first = np.arange(max(start, TIME), stop - HORIZON + 1, 4)
    past = np.stack([series[:, now - TIME : now] for now in first], axis=1)
    future = np.stack([series[:, now : now + HORIZON] for now in first], axis=1)
    return {
        "past": past.reshape(-1, TIME, 1),
        "future": future.reshape(-1, HORIZON, 1),
        "group": np.repeat(np.arange(len(series)), len(first)),
    }
