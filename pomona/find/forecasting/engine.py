"""From a panel to a forecast: members on rolling origins, the best of them together, fitted to all history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.find.forecasting.averaging import calibrate, choose, combine, correct
from pomona.find.forecasting.combining import for_newcomers, median_forecast
from pomona.find.forecasting.members.table import MEDIAN, MEDIAN_OF, MEMBERS, chosen_members, with_median
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories
from pomona.find.forecasting.scores import Scores, scale_of, scores
from pomona.find.forecasting.settings import ForecastSettings
from pomona.find.forecasting.storing import read_forecasts, read_params, write_forecasts, write_params
from pomona.find.forecasting.validation import Origins, rolling_origins
from pomona.foundation.run import Run

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Found:
    """What the work on a panel left."""

    origins: Origins
    validation: Mapping[str, list[Forecast]]
    """Member, median or ensemble → its forecasts at every origin."""
    scores: Mapping[str, Scores]
    weights: Mapping[str, float]
    """Share of each member in the forecast."""
    params: Mapping[str, Params]
    """Of the members that the weights need, fitted to all history."""
    shifts: np.ndarray
    forecast: Forecast
    notes: tuple[str, ...]


def find_forecast(panel: Panel, settings: ForecastSettings, *, run: Run) -> Found:
    """The forecast of a panel, and how well it would have done. Goes on where an earlier run stopped."""
    names, notes = chosen_members(settings.members, panel)
    origins = rolling_origins(panel, settings.windows)
    validation: dict[str, list[Forecast]] = {}
    for name in names:
        validation[name] = _validated(name, panel, origins, settings, run=run)
        run.check_interrupt()
    if with_median(validation):
        own = [validation[name] for name in MEDIAN_OF if name in validation]
        validation[MEDIAN] = [median_forecast(parts) for parts in zip(*own, strict=True)]
    weights = choose(validation, origins.truths, origins.scale)
    together = [
        combine(dict(zip(validation, parts, strict=True)), weights)
        for parts in zip(*validation.values(), strict=True)
    ]
    shifts = calibrate(together, origins.truths, origins.scale)
    validation[ENSEMBLE] = [correct(shifts, one, origins.scale) for one in together]
    rated = {name: _scores(own, origins) for name, own in validation.items()}
    params = {}
    for name in needed_members(weights, validation):
        params[name] = _fitted(name, panel, settings, run=run)
        run.check_interrupt()
    forecast = forecast_with(params, weights, shifts, panel, panel.ends)
    is_new = panel.lengths == 0
    if is_new.any() and not is_new.all():
        traits = traits_of(panel)
        like = Forecast(forecast.mean[~is_new], forecast.quantiles[~is_new])
        forecast = for_newcomers(forecast, is_new, traits, like, traits[~is_new])
    return Found(origins, validation, rated, weights, params, shifts, forecast, notes)


def needed_members(weights: Mapping[str, float], available: Mapping[str, Any]) -> list[str]:
    """The members that weights need: those of the median where it has a share."""
    parts = [name for name in MEDIAN_OF if name in available] if MEDIAN in weights else []
    return [name for name in MEMBERS if name in weights or name in parts]


def forecast_with(
    params: Mapping[str, Params],
    weights: Mapping[str, float],
    shifts: np.ndarray,
    panel: Panel,
    cut: np.ndarray,
) -> Forecast:
    """What fitted members say together of the steps after a cut."""
    said = {name: MEMBERS[name].load().predict(own, panel, cut) for name, own in params.items()}
    if MEDIAN in weights:
        said[MEDIAN] = median_forecast([said[name] for name in MEDIAN_OF if name in said])
    return correct(shifts, combine(said, weights), scale_of(panel, cut))


def traits_of(panel: Panel) -> np.ndarray:
    """The categories of each series, a column each; one that all share where there are none."""
    columns = [column for name, column in panel.static.items() if name in panel.levels]
    return np.stack(columns, axis=1) if columns else np.zeros((panel.num_series, 1), np.int32)


def _validated(
    name: str, panel: Panel, origins: Origins, settings: ForecastSettings, *, run: Run
) -> list[Forecast]:
    """A member's forecasts at all origins: fitted once, before the first of them."""
    path = run.folder / "validation" / f"{name}.safetensors"
    if path.exists():
        return read_forecasts(path)
    member = MEMBERS[name].load()
    params = member.fit(histories(panel, origins.cuts[0]), origins.cuts[0], settings, run=run)
    found = [member.predict(params, histories(panel, cut), cut) for cut in origins.cuts]
    write_forecasts(path, found)
    return found


def _fitted(name: str, panel: Panel, settings: ForecastSettings, *, run: Run) -> Params:
    folder = run.folder / "members" / name
    if (folder / "params.json").exists():
        return read_params(folder)
    params = MEMBERS[name].load().fit(panel, panel.ends, settings, run=run)
    write_params(folder, params)
    return params


def _scores(forecasts: list[Forecast], origins: Origins) -> Scores:
    return scores(forecasts, list(origins.truths), origins.scale, origins.squared_scale)
