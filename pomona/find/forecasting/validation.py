"""Rolling origins: where a history is cut to see how well what came next would have been forecast."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from pomona.find.forecasting.problem import Panel, truth
from pomona.find.forecasting.scores import scales_of

MOST_WINDOWS = 3
FORECASTS = 60
"""Fewer series than windows for this many forecasts get more windows, up to as many as MOST_FOR_FEW, and not
one after the other but spread over the later half of the history: neighbours share their weather."""
MOST_FOR_FEW = 15
MOST_STEPS_BACK = 2000
"""Windows reach back so far at most: what is fitted before the first of them must not be too old."""
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
    """Cuts a horizon or more apart, the last one a horizon before the end of each series.

    There are as many as `windows` asks for, one right after the other, or as leave half of the values before
    the first; at least one. A series that is too short for a whole horizon is cut at two thirds, and scored
    on what is left.
    """
    number, apart = (windows, panel.horizon) if windows else usual_windows(panel)
    cuts = []
    for back in range(number - 1, -1, -1):
        cut = panel.ends - panel.horizon - back * apart
        if back == 0:
            is_short = panel.lengths < panel.horizon + FEWEST_BEFORE
            cut = np.where(is_short, panel.start + np.maximum(1, panel.lengths * 2 // 3), cut)
        cuts.append(np.maximum(cut, panel.start))
    truths = tuple(_scored(panel, cut) for cut in cuts)
    scale, squared = scales_of(panel, cuts[0])
    return Origins(tuple(cuts), truths, scale, squared)


def usual_windows(panel: Panel) -> tuple[int, int]:
    """How many windows there are, and steps from one to the next.

    They leave half of the steps of the first quarter of the series' lengths to learn from.
    """
    has = panel.lengths[panel.lengths > 0]
    usual = float(np.quantile(has, 0.25)) if len(has) else 0.0
    room = min(usual / 2, usual - 2 * panel.freq.season - panel.horizon)
    most = int(np.clip(FORECASTS // max(1, len(has)), MOST_WINDOWS, MOST_FOR_FEW))
    number = int(np.clip(room // panel.horizon, 1, most))
    if most == MOST_WINDOWS or number < most:
        return number, panel.horizon
    apart = int(min(room, MOST_STEPS_BACK) - panel.horizon) // (number - 1)
    return number, max(panel.horizon, _in_turn(apart, panel.freq.seasons))


def _in_turn(apart: int, seasons: tuple[int, ...]) -> int:
    """Whole short seasons, as the forecast will begin where these do, but no whole long ones."""
    if not seasons or apart < seasons[0]:
        return apart
    whole = apart // seasons[0] * seasons[0]
    is_long = any(whole % season == 0 for season in seasons[1:])
    return whole - seasons[0] if is_long else whole


def _scored(panel: Panel, cut: np.ndarray) -> Float32[np.ndarray, "series horizon"]:
    after = truth(panel, cut)
    return np.where((cut - panel.start >= FEWEST_BEFORE)[:, None], after, np.float32(np.nan))
