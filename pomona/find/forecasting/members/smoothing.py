"""What smoothing methods share: how far they look back, and series fitted one by one to a table of states."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Int64

from pomona.find.forecasting.frequency import MOST_SEASON
from pomona.find.forecasting.members.series import fit_each, single_series
from pomona.find.forecasting.problem import Panel, Params, histories
from pomona.foundation.run import Run

FEWEST_STEPS, SEASONS = 200, 25
"""A fit looks back as far as the larger of so many steps and seasons: older values change little and cost as
much."""
FEWEST = 4
"""Values without which nothing is fitted."""

FitOne = Callable[..., dict[str, Any]]


def usual_season(panel: Panel) -> int:
    """The season that is smoothed: the shortest one, none where it is too long for that."""
    return panel.freq.season if panel.freq.season <= MOST_SEASON else 1


def fitted(
    fit_one: FitOne,
    panel: Panel,
    cut: Int64[np.ndarray, " series"],
    *,
    label: str,
    run: Run,
    forms: str | None = None,
) -> Params:
    """What `fit_one(values, form, season)` says of each series: constants and a last state, a column each.

    With a name for `forms` they are chosen once in a run: a later call, with more history, gives each series
    the form that it had, and only its constants are fitted anew. Without one `form` is always None.
    """
    season = usual_season(panel)
    series = single_series(histories(panel, cut), max(FEWEST_STEPS, SEASONS * season))
    known = (run.restore(forms) if forms else None) or [None] * panel.num_series
    pairs = list(zip(series, known, strict=True))
    found = fit_each(_fit_pair, pairs, fit_one, season, label=label, run=run)
    if forms:
        run.save(forms, [one.pop("form") for one in found])
    columns = {name: np.array([one[name] for one in found]) for name in found[0]}
    return Params({**columns, "cut": np.asarray(cut, np.int64)}, {"season": season})


def _fit_pair(pair: tuple[np.ndarray, str | None], fit_one: FitOne, season: int) -> dict[str, Any]:
    return fit_one(*pair, season)
