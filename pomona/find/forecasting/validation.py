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
YEAR_SECONDS = 52 * 7 * 86400
"""A year of whole weeks: the day of the week is the same."""
SIDES = 3
"""Windows before and after the one that lies a year before the forecast: holidays move by some days."""
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
    return _origins(panel, cuts)


def origins_a_year_before(panel: Panel, windows: int | None) -> Origins | None:
    """Cuts around the time that is forecast, a year before, where those of `rolling_origins` tell too little.

    Few series of hours are cut at some days of the last weeks, and what they tell is wrong on holidays. None
    where a number of windows is asked for, where usual ones reach half a year back, and where a third of the
    steps would not be left to learn from.
    """
    year = YEAR_SECONDS // panel.freq.step_seconds if panel.freq.step_seconds else 0
    number, apart = usual_windows(panel)
    reach = panel.horizon + (number - 1) * apart
    has = panel.lengths[panel.lengths > 0]
    usual = float(np.quantile(has, 0.25)) if len(has) else 0.0
    left = usual - year - SIDES * panel.horizon
    if windows or not year or number <= MOST_WINDOWS or reach > year / 2 or left < usual / 3:
        return None
    places = range(-SIDES, SIDES + 1)
    return _origins(
        panel, [np.maximum(panel.ends - year + place * panel.horizon, panel.start) for place in places]
    )


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


def _origins(panel: Panel, cuts: list[np.ndarray]) -> Origins:
    truths = tuple(_scored(panel, cut) for cut in cuts)
    scale, squared = scales_of(panel, cuts[0])
    return Origins(tuple(cuts), truths, scale, squared)


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
