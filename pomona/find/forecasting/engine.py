"""From a panel to a forecast: members on rolling origins, the best together, fitted to all history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pomona.find.forecasting.combining import for_newcomers, median_forecast
from pomona.find.forecasting.conformal import Correction, calibrate, corrected
from pomona.find.forecasting.ensemble import combine, steadied
from pomona.find.forecasting.judging import judge_of
from pomona.find.forecasting.members.table import MEDIAN, MEDIAN_OF, MEMBERS, chosen_members, with_median
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, is_intermittent, tail
from pomona.find.forecasting.reconcile import Hierarchy, covariance, reconciled
from pomona.find.forecasting.scores import Scores, scale_of, scores
from pomona.find.forecasting.settings import ForecastSettings
from pomona.find.forecasting.storing import read_forecasts, read_params, write_forecasts, write_params
from pomona.find.forecasting.validation import Origins, origins_a_year_before, rolling_origins
from pomona.foundation.run import Run

ENSEMBLE = "ensemble"
RECENT = 28
TOP, REACH = 1.15, 1.3
"""Members with a loss above so many times the lowest are not picked, and above the second have no share."""


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
    correction: Correction
    forecast: Forecast
    notes: tuple[str, ...]
    errors: np.ndarray | None = None
    """Of a hierarchy: what `reconcile.covariance` says of the validation errors."""


@dataclass(frozen=True)
class Rolled:
    """What was said together at one origin, what came, and by what errors of each series are divided."""

    said: Forecast
    true: np.ndarray
    sizes: np.ndarray


def find_forecast(
    panel: Panel, settings: ForecastSettings, *, run: Run, hierarchy: Hierarchy | None = None
) -> Found:
    """The forecast of a panel, and how well it would have done. Goes on where an earlier run stopped.

    With a `hierarchy`, of which the series are the nodes, the forecasts add up.
    """
    names, notes = chosen_members(settings.members, panel)
    origins = rolling_origins(panel, settings.windows)
    validation: dict[str, list[Forecast]] = {}
    for name in names:
        validation[name] = _validated(name, panel, origins, settings, run=run)
        run.check_interrupt()
    if with_median(validation):
        validation[MEDIAN] = _medians(validation)
    weights = weights_of(validation, panel, origins)
    rolled = _rolled(validation, weights, panel, origins)
    before = _a_year_before(needed_members(weights, validation), weights, panel, settings, run=run)
    is_count = is_intermittent(panel) and bool((np.nan_to_num(panel.values) % 1 == 0).all())
    correction = _calibrated([*rolled, *before], is_count)
    validation[ENSEMBLE] = _honest(rolled, before, correction)
    rated = {name: _scores(own, origins) for name, own in validation.items()}
    params = {}
    for name in needed_members(weights, validation):
        params[name] = _fitted(name, panel, settings, run=run)
        run.check_interrupt()
    forecast = forecast_with(params, weights, correction, panel, panel.ends)
    is_new = panel.lengths == 0
    if is_new.any() and not is_new.all():
        traits = traits_of(panel)
        old = None if forecast.nonzero is None else forecast.nonzero[~is_new]
        like = Forecast(forecast.mean[~is_new], forecast.quantiles[~is_new], old)
        forecast = for_newcomers(forecast, is_new, traits, like, traits[~is_new])
    errors = None
    if hierarchy is not None:
        missed = [one.said.mean - one.true for one in rolled]
        errors = covariance(np.concatenate(missed, axis=1))
        forecast = reconciled(forecast, hierarchy, errors, is_nonnegative=never_below_zero(panel))
    return Found(origins, validation, rated, weights, params, correction, forecast, notes, errors)


def never_below_zero(panel: Panel) -> bool:
    """Whether no value of any series is below 0."""
    return not bool((panel.values < 0).any())


def weights_of(validation: Mapping[str, list[Forecast]], panel: Panel, origins: Origins) -> dict[str, float]:
    """The share of each member: the first alone where no step can be scored."""
    if all(np.isnan(true).all() for true in origins.truths):
        return {next(iter(validation)): 1.0}
    return steadied(judge_of(panel, origins).select(validation, reach=TOP), reach=REACH)


def needed_members(weights: Mapping[str, float], available: Mapping[str, Any]) -> list[str]:
    """The members that weights need: those of the median where it has a share."""
    parts = [name for name in MEDIAN_OF if name in available] if MEDIAN in weights else []
    return [name for name in MEMBERS if name in weights or name in parts]


def forecast_with(
    params: Mapping[str, Params],
    weights: Mapping[str, float],
    correction: Correction,
    panel: Panel,
    cut: np.ndarray,
) -> Forecast:
    """What fitted members say together of the steps after a cut."""
    said = {name: MEMBERS[name].load().predict(own, panel, cut) for name, own in params.items()}
    if MEDIAN in weights:
        said[MEDIAN] = median_forecast([said[name] for name in MEDIAN_OF if name in said])
    together = _corrected(combine(said, weights), correction, scale_of(panel, cut))
    if together.nonzero is None and bool((panel.values == 0).any()):
        return replace(together, nonzero=_share_of_sales(histories(panel, cut)))
    return together


def _share_of_sales(history: Panel) -> np.ndarray:
    """How many of the last values were not 0, for each series and step; 1 where there are none."""
    recent = tail(history, max(RECENT, 4 * history.freq.season))
    real = ~np.isnan(recent)
    number = real.sum(axis=1)
    share = np.where(number > 0, (real & (recent != 0)).sum(axis=1) / np.maximum(number, 1), 1.0)
    return np.repeat(share[:, None], history.horizon, axis=1)


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


def _medians(said: Mapping[str, list[Forecast]]) -> list[Forecast]:
    """The median member at every origin."""
    own = [said[name] for name in MEDIAN_OF if name in said]
    return [median_forecast(parts) for parts in zip(*own, strict=True)]


def _rolled(
    said: Mapping[str, list[Forecast]], weights: Mapping[str, float], panel: Panel, origins: Origins
) -> list[Rolled]:
    """What the members say together at each origin, by the scale of its own history as in a forecast."""
    together = [
        combine({name: own[index] for name, own in said.items()}, weights)
        for index in range(len(origins.cuts))
    ]
    sizes = [scale_of(panel, cut) for cut in origins.cuts]
    return [Rolled(*one) for one in zip(together, origins.truths, sizes, strict=True)]


def _a_year_before(
    names: list[str], weights: Mapping[str, float], panel: Panel, settings: ForecastSettings, *, run: Run
) -> list[Rolled]:
    """The same at this time of the last year by members that had seen no more; nothing where that is vain."""
    origins = origins_a_year_before(panel, settings.windows)
    if origins is None:
        return []
    own, said = run.child("a-year-before"), {}
    for name in names:
        said[name] = _validated(name, panel, origins, settings, run=own)
        run.check_interrupt()
    if MEDIAN in weights:
        said[MEDIAN] = _medians(said)
    return _rolled(said, weights, panel, origins)


def _calibrated(rolled: list[Rolled], is_count: bool) -> Correction:
    said, true, sizes = zip(*((one.said, one.true, one.sizes) for one in rolled), strict=True)
    return replace(calibrate(said, true, sizes), is_count=is_count)


def _honest(rolled: list[Rolled], before: list[Rolled], correction: Correction) -> list[Forecast]:
    """Each origin's forecast corrected by what the other origins said, where there are others."""
    if len(rolled) == 1:
        return [_corrected(rolled[0].said, correction, rolled[0].sizes)]
    results = []
    for place, one in enumerate(rolled):
        others = _calibrated([*rolled[:place], *rolled[place + 1 :], *before], correction.is_count)
        results.append(_corrected(one.said, others, one.sizes))
    return results


def _corrected(forecast: Forecast, correction: Correction, scale: np.ndarray) -> Forecast:
    """The forecast with moved quantiles, none below 0 where none was."""
    moved = corrected(forecast, correction, scale)
    floor = np.where((forecast.quantiles >= 0).all(axis=(1, 2)), 0.0, -np.inf)
    return replace(moved, quantiles=np.maximum(moved.quantiles, floor[:, None, None]))


def _scores(forecasts: list[Forecast], origins: Origins) -> Scores:
    return scores(forecasts, list(origins.truths), origins.scale, origins.squared_scale)
