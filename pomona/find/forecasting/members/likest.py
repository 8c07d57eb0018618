"""The naive forecast by the season after which values change least: of hours a week perhaps, not a day."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int64

from pomona.find.forecasting.members import naive
from pomona.find.forecasting.problem import Forecast, Panel, Params
from pomona.find.forecasting.scores import scale_of
from pomona.foundation.run import Run


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The season with the least change before the cut, by the median over series, which have two of it."""
    most = np.median(cut - panel.start) / 2 if panel.num_series else 0
    seasons = [season for season in panel.freq.seasons if season <= most] or [panel.freq.season]
    usual = scale_of(panel, cut)
    changes = [float(np.median(scale_of(_with(panel, season), cut) / usual)) for season in seasons]
    return Params({}, {"season": seasons[int(np.argmin(changes))]})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """What was a season ago, for every step."""
    return naive.predict(params, _with(panel, params.plain["season"]), cut)


def _with(panel: Panel, season: int) -> Panel:
    """The panel as if only one season came round."""
    return replace(panel, freq=replace(panel.freq, seasons=(season,)))
