"""Exponential smoothing (ETS): statsforecast chooses and fits, the recursions here forecast from its numbers.

Hyndman, Koehler, Ord, Snyder 2008: errors that are added or multiplied, no trend or one that may be damped,
no season or one that is added or multiplied. Multiplied trends are left out, as in statsforecast.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.naive import last_season
from pomona.find.forecasting.members.recursion import State, forecast
from pomona.find.forecasting.members.smoothing import FEWEST, fitted
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, tail
from pomona.foundation.errors import MissingExtraError
from pomona.foundation.run import Run

FORMS = "ets-forms"


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The fitted forms, smoothing constants and last states of all series.

    The forms are chosen once in a run: a later call, with more history, fits their constants anew.
    """
    return fitted(fit_one, panel, cut, label="exponential smoothing", run=run, forms=FORMS)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The forecasts of the fitted forms."""
    return forecast(Smoothing(int(params.plain["season"])), params, panel, cut)


class Smoothing:
    """ETS as a recursion, each series in its own form."""

    def __init__(self, season: int):
        self.season = season

    def ahead(self, state: State, horizon: int) -> Float[np.ndarray, "series horizon"]:
        """Level, damped trend and season of the next steps."""
        level, trend, damping = state["level"], state["trend"], state["phi"]
        steps = np.arange(1, horizon + 1)
        # φ + φ² + … + φ^h
        factor = np.cumsum(damping[:, None] ** steps, axis=1)
        mean = level[:, None] + trend[:, None] * factor
        season = state["season"][:, np.arange(horizon) % self.season]
        kind = state["season_kind"][:, None]
        return np.where(kind == 0, mean, np.where(kind == 1, mean + season, mean * season))

    def advance(self, state: State, value: Float[np.ndarray, " series"]) -> State:
        """The state after a value; the season turns by one step."""
        kind, season = state["season_kind"], state["season"][:, 0]
        alpha, beta, gamma, phi = (state[name] for name in ("alpha", "beta", "gamma", "phi"))
        trend = phi * state["trend"]
        expected = state["level"] + trend
        safe = np.where(np.abs(season) < 1e-10, 1e-10, season)
        without = np.where(kind == 1, value - season, np.where(kind == 2, value / safe, value))
        level = expected + alpha * (without - expected)
        slope = level - state["level"]
        share = np.divide(beta, alpha, out=np.zeros_like(beta), where=alpha > 0)
        safe = np.where(np.abs(expected) < 1e-10, 1e-10, expected)
        seasonal = np.where(kind == 2, value / safe, value - expected)
        new_season = np.where(kind > 0, season + gamma * (seasonal - season), season)
        turned = np.concatenate([state["season"][:, 1:], new_season[:, None]], axis=1)
        return {**state, "level": level, "trend": trend + share * (slope - trend), "season": turned}

    def start(self, history: Panel) -> tuple[State, int]:
        """Simple smoothing with an added season, begun two seasons before the end."""
        number, back = history.num_series, 2 * self.season
        early = last_season(_without_last(history, back), self.season)
        level = early.mean(axis=1)
        ones = np.ones(number)
        recent = tail(history, 4 * self.season + 8).astype(np.float64)
        values = np.where(np.isnan(recent), level[:, None], recent)
        state = {
            "level": level,
            "trend": 0 * ones,
            "season": early - level[:, None] if self.season > 1 else np.zeros((number, 1)),
            "alpha": 0.2 * ones,
            "beta": 0 * ones,
            "gamma": (0.1 if self.season > 1 else 0.0) * ones,
            "phi": ones.copy(),
            "season_kind": np.full(number, int(self.season > 1)),
            "is_relative": np.zeros(number, np.int64),
            "deviation": values.std(axis=1),
        }
        return state, back


def fit_one(values: Float[np.ndarray, " time"], form: str | None, season: int) -> dict[str, Any]:
    """The form, constants and last state of one series, as statsforecast finds them.

    A `form`, such as AAdN, leaves no choice; without one the best by AICc is taken.
    """
    plain = _plain(values, season)
    if len(values) < FEWEST or values.min() == values.max():
        return plain
    try:
        from statsforecast.models import AutoETS
    except ImportError as error:
        raise MissingExtraError("statsforecast", "forecast") from error
    length = season if len(values) > season + 2 else 1
    chosen = {"model": form.replace("d", ""), "damped": "d" in form} if form else {}
    try:
        model = AutoETS(season_length=length, **chosen).fit(values).model_
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, NotImplementedError):
        return plain
    return _state(model, season, plain)


def _state(model: Any, season: int, plain: dict[str, Any]) -> dict[str, Any]:
    error, trend, seasonal, damped = model["components"][:4]
    alpha, beta, gamma, phi = (float(number) for number in model["par"][:4])
    last = model["states"][-1]
    found = {
        **plain,
        "level": float(last[0]),
        "trend": float(last[1]) if trend != "N" else 0.0,
        "alpha": alpha,
        "beta": beta if trend != "N" else 0.0,
        "gamma": gamma if seasonal != "N" else 0.0,
        "phi": phi if damped != "N" and damped is not False else 1.0,
        "season_kind": {"N": 0, "A": 1, "M": 2}[seasonal],
        "is_relative": int(error == "M"),
        "deviation": float(np.sqrt(model["sigma2"])),
    }
    if season == 1 or model["m"] > 1:
        # a form that was chosen without a season, for want of values, is no form for later
        found["form"] = f"{error}{trend}{'d' * (found['phi'] < 1)}{seasonal}"
    if seasonal != "N":
        # statsforecast keeps the newest season first; here the first is the one that comes next
        found["season"] = np.asarray(last[-season:][::-1], np.float64)
    return found


def _plain(values: np.ndarray, season: int) -> dict[str, Any]:
    last = float(values[-1]) if len(values) else 0.0
    return {
        "level": last,
        "trend": 0.0,
        "season": np.zeros(season),
        "alpha": 0.2,
        "beta": 0.0,
        "gamma": 0.0,
        "phi": 1.0,
        "season_kind": 0,
        "is_relative": 0,
        "deviation": float(values.std()) if len(values) else 0.0,
        "form": None,
    }


def _without_last(history: Panel, number: int) -> Panel:
    return histories(history, np.maximum(history.ends - number, history.start + 1))
