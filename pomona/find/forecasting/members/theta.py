"""The Theta method in its four optimised forms: statsforecast chooses and fits, recursions here forecast.

Fiorucci, Pellegrini, Louzada, Petropoulos, Koehler 2016: level smoothed around a line, which stands still
(STM, OTM) or is drawn anew with every value (DSTM, DOTM), after a season is taken out.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.naive import last_season
from pomona.find.forecasting.members.recursion import State, forecast
from pomona.find.forecasting.members.smoothing import FEWEST, fitted
from pomona.find.forecasting.problem import Forecast, Panel, Params, tail
from pomona.foundation.errors import MissingExtraError
from pomona.foundation.run import Run


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The fitted forms, smoothing constants and last states of all series."""
    return fitted(fit_one, panel, cut, label="Theta", run=run)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The forecasts of the fitted forms."""
    return forecast(Theta(int(params.plain["season"])), params, panel, cut)


class Theta:
    """The Theta method as a recursion, each series in its own form."""

    def __init__(self, season: int):
        self.season = season

    def ahead(self, state: State, horizon: int) -> Float[np.ndarray, "series horizon"]:
        """Level and line of the next steps, and the season."""
        means, moved = [], state
        for _ in range(horizon):
            mean = _expected(moved)
            means.append(mean)
            moved = _smoothed(moved, mean)
        season = state["season"][:, np.arange(horizon) % self.season]
        kind, mean = state["season_kind"][:, None], np.stack(means, axis=1)
        return np.where(kind == 0, mean, np.where(kind == 1, mean + season, mean * season))

    def advance(self, state: State, value: Float[np.ndarray, " series"]) -> State:
        """The state after a value; the season turns by one step and stays as it was."""
        kind, season = state["season_kind"], state["season"][:, 0]
        safe = np.where(np.abs(season) < 1e-10, 1e-10, season)
        plain = np.where(kind == 1, value - season, np.where(kind == 2, value / safe, value))
        return {**_smoothed(state, plain), "season": np.roll(state["season"], -1, axis=1)}

    def start(self, history: Panel) -> tuple[State, int]:
        """Simple smoothing around half the usual slope, with the season of the last values."""
        ones = np.ones(history.num_series)
        season = last_season(history, self.season)
        level = season.mean(axis=1)
        recent = tail(history, 4 * self.season + 8).astype(np.float64)
        state = {
            "level": level,
            "mean": level,
            "intercept": 0 * ones,
            "slope": 0 * ones,
            "alpha": 0.2 * ones,
            "theta": 2.0 * ones,
            "count": 10.0 * ones,
            "is_dynamic": np.zeros(len(ones), np.int64),
            "season": season - level[:, None] if self.season > 1 else np.zeros((len(ones), 1)),
            "season_kind": np.full(len(ones), int(self.season > 1)),
            "is_relative": np.zeros(len(ones), np.int64),
            "deviation": np.where(np.isnan(recent), level[:, None], recent).std(axis=1),
        }
        return state, 0


def _expected(state: State) -> Float[np.ndarray, " series"]:
    alpha, count = state["alpha"], state["count"]
    rest = 1 - alpha
    line = state["intercept"] * rest**count + state["slope"] * (1 - rest ** (count + 1)) / alpha
    return state["level"] + (1 - 1 / state["theta"]) * line


def _smoothed(state: State, value: np.ndarray) -> State:
    count, alpha, is_dynamic = state["count"], state["alpha"], state["is_dynamic"] > 0
    slope = ((count - 1) * state["slope"] + 6 * (value - state["mean"]) / (count + 1)) / (count + 2)
    mean = (count * state["mean"] + value) / (count + 1)
    slope = np.where(is_dynamic, slope, state["slope"])
    intercept = np.where(is_dynamic, mean - slope * (count + 2) / 2, state["intercept"])
    level = alpha * value + (1 - alpha) * state["level"]
    return {**state, "level": level, "mean": mean, "slope": slope, "intercept": intercept, "count": count + 1}


def fit_one(values: Float[np.ndarray, " time"], form: None, season: int) -> dict[str, Any]:
    """The form, constants and last state of one series, as statsforecast finds them; no `form` is imposed."""
    plain = _plain(values, season)
    if len(values) < FEWEST or values.min() == values.max():
        return plain
    try:
        from statsforecast.theta import auto_theta
    except ImportError as error:
        raise MissingExtraError("statsforecast", "forecast") from error
    try:
        with np.errstate(all="ignore"):
            model = auto_theta(values, m=season)
    except Exception:
        # statsforecast raises this very class for series that are too short or too odd for it
        return plain
    return _state(model, season, plain)


def _state(model: Any, season: int, plain: dict[str, Any]) -> dict[str, Any]:
    level, mean, intercept, slope, _ = (float(number) for number in model["states"][-1])
    kind = {"multiplicative": 2, "additive": 1}.get(model.get("decomposition_type", ""), 0)
    found = {
        **plain,
        "level": level,
        "mean": mean,
        "intercept": intercept,
        "slope": slope,
        "alpha": float(model["par"]["alpha"]),
        "theta": float(model["par"]["theta"]),
        "count": float(model["n"]),
        "is_dynamic": int(model["modeltype"] in ("DSTM", "DOTM")),
        "season_kind": kind if model.get("decompose", False) else 0,
        "deviation": float(np.std(model["residuals"][3:], ddof=1)),
    }
    if found["season_kind"]:
        found["season"] = np.asarray(model["seas_forecast"]["mean"], np.float64)
    return found if all(np.isfinite(found[name]) for name in ("level", "mean", "deviation")) else plain


def _plain(values: np.ndarray, season: int) -> dict[str, Any]:
    last = float(values[-1]) if len(values) else 0.0
    return {
        "level": last,
        "mean": last,
        "intercept": 0.0,
        "slope": 0.0,
        "alpha": 0.2,
        "theta": 2.0,
        "count": float(max(len(values), 3)),
        "is_dynamic": 0,
        "season": np.zeros(season),
        "season_kind": 0,
        "is_relative": 0,
        "deviation": float(values.std()) if len(values) else 0.0,
    }
