"""Rolling origins: where a history is cut to see how well what came next would have been forecast."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from pomona.find.forecasting.problem import Panel, truth
from pomona.find.forecasting.scores import scales_of

MOST_WINDOWS = 3
FORECASTS = 30
"""Fewer series than windows for this many forecasts get more windows, up to as many as MOST_FOR_FEW."""
MOST_FOR_FEW = 10
FEWEST_BEFORE = 3
"""Steps of history without which no forecast is scored."""


@dataclass(frozen=True)
class Origins:
    """Places to cut, earliest first, what came after each, and the scale of each series before the first."""

    cuts: tuple[Int64[np.ndarray, " series"], ...]
    truths: tuple[Float32[np.ndarray, "series horizon"], ...]
    """NaN where nothing is to be scored: no value, or hardly any history before the cut."""
    scale: Float[np.ndarray, " series"]
    squared_scale: Float[np.ndarray, " series"]


def rolling_origins(panel: Panel, windows: int | None) -> Origins:
    """Cuts one horizon apart, the last one a horizon before the end of each series.

    There are as many as `windows` asks for, or as leave half of the values before the first; at least one. A
    series that is too short for a whole horizon is cut at two thirds, and scored on what is left.
    """
    number = windows or usual_windows(panel)
    cuts = []
    for back in range(number, 0, -1):
        cut = panel.ends - back * panel.horizon
        if back == 1:
            is_short = panel.lengths < panel.horizon + FEWEST_BEFORE
            cut = np.where(is_short, panel.start + np.maximum(1, panel.lengths * 2 // 3), cut)
        cuts.append(np.maximum(cut, panel.start))
    truths = tuple(_scored(panel, cut) for cut in cuts)
    scale, squared = scales_of(panel, cuts[0])
    return Origins(tuple(cuts), truths, scale, squared)


def usual_windows(panel: Panel) -> int:
    """Windows for which the first quarter of the series' lengths leaves half of its steps to learn from."""
    has = panel.lengths[panel.lengths > 0]
    usual = float(np.quantile(has, 0.25)) if len(has) else 0.0
    needed = 2 * panel.freq.season + panel.horizon
    fitting = int(min(usual / 2, usual - needed) // panel.horizon)
    most = int(np.clip(FORECASTS // max(1, len(has)), MOST_WINDOWS, MOST_FOR_FEW))
    return int(np.clip(fitting, 1, most))


def _scored(panel: Panel, cut: np.ndarray) -> Float32[np.ndarray, "series horizon"]:
    after = truth(panel, cut)
    return np.where((cut - panel.start >= FEWEST_BEFORE)[:, None], after, np.float32(np.nan))
