"""Small panels and quick points for tests of forecasting networks."""

from typing import Any

import numpy as np
import pyarrow

from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.problem import Panel

QUICK: dict[str, Any] = {
    "encoder": "dense",
    "decoder": "dense",
    "width": 32,
    "depth": 1,
    "dropout": 0.0,
    "shortcut": "linear",
    "gated": False,
    "context": "short",
    "lags": False,
    "scaling": "mean",
    "logarithm": False,
    "law": "quantile",
    "knows_series": False,
    "tells_level": False,
    "weighting": "even",
    "learning_rate": 5e-3,
    "weight_decay": 0.0,
    "batch_size": 64,
    "length": 1.0,
}


def panel_of(
    series: list[np.ndarray],
    *,
    season: int = 4,
    horizon: int = 4,
    start: list[int] | None = None,
    **more: Any,
) -> Panel:
    """Quarterly series."""
    lengths = [len(values) for values in series]
    return Panel(
        keys=pyarrow.table({"id": [str(number) for number in range(len(series))]}),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start=np.array(start or [0] * len(series), np.int64),
        values=np.concatenate(series).astype(np.float32),
        freq=Frequency("quarter", 1, (season,)),
        origin=np.datetime64("2001-01-01", "s"),
        horizon=horizon,
        **more,
    )


def waves(num_series: int = 6, length: int = 48, seed: int = 0) -> list[np.ndarray]:
    """Seasonal positive series of unlike sizes, with noise."""
    random = np.random.default_rng(seed)
    steps = np.arange(length)
    return [
        10.0**index * (3 + np.sin(np.pi * steps / 2 + index) + 0.1 * random.standard_normal(length))
        for index in np.linspace(-1, 2, num_series)
    ]
