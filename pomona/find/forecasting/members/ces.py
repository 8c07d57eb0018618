"""Complex exponential smoothing (CES): statsforecast chooses and fits, the recursion here forecasts.

Svetunkov, Kourentzes, Ord 2022: a level and a part that is not seen turn in the complex plane, so that trends
need no term of their own; without a season (0), with seasonal states alone (1), with a season that is added
(2) and with one that turns as well (3).
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

FORMS = "ces-forms"
KINDS = "NSPF"
PARTS = 4
HIDDEN = 1.1
"""At the start the part that is not seen is the level by this, as in statsforecast."""
FEWEST_FOR_ALL = 8
"""Values without which statsforecast's criterion for forms with a season is not defined."""


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The fitted forms, constants and last states of all series.

    The forms are chosen once in a run: a later call, with more history, fits their constants anew.
    """
    return fitted(fit_one, panel, cut, label="complex smoothing", run=run, forms=FORMS)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The forecasts of the fitted forms."""
    return forecast(ComplexSmoothing(int(params.plain["season"])), params, panel, cut)


class ComplexSmoothing:
    """CES as a recursion; `buffer` has the states of the last season, the oldest first."""

    def __init__(self, season: int):
        self.season = season

    def ahead(self, state: State, horizon: int) -> Float[np.ndarray, "series horizon"]:
        """The means of the next steps, each reached through those before it."""
        means = []
        for _ in range(horizon):
            means.append(_expected(state))
            state = self.advance(state, means[-1])
        return np.stack(means, axis=1)

    def advance(self, state: State, value: Float[np.ndarray, " series"]) -> State:
        """The state after a value."""
        buffer, kind = state["buffer"], state["season_kind"]
        error = value - _expected(state)
        level, hidden = np.where(kind == 1, buffer[:, 0, :2].T, buffer[:, -1, :2].T)
        season, turned = buffer[:, 0, 2], buffer[:, 0, 3]
        new = np.stack(
            [
                *_turned(level, hidden, state["alpha_0"], state["alpha_1"], error),
                *_turned(season, turned, state["beta_0"], state["beta_1"], error),
            ],
            axis=1,
        )
        new[:, 2] = np.where(kind == 2, season + state["beta_0"] * error, new[:, 2])
        new[:, 2:] = np.where((kind > 1)[:, None], new[:, 2:], 0.0)
        return {**state, "buffer": np.concatenate([buffer[:, 1:], new[:, None]], axis=1)}

    def start(self, history: Panel) -> tuple[State, int]:
        """The last season again and again, moved by each value as the usual constants move it."""
        ones = np.ones(history.num_series)
        season = last_season(history, self.season)
        buffer = np.zeros((len(ones), self.season, PARTS))
        buffer[..., 0], buffer[..., 1] = season, season / HIDDEN
        recent = tail(history, 4 * self.season + 8).astype(np.float64)
        level = season.mean(axis=1)
        state = {
            "buffer": buffer,
            "alpha_0": 1.3 * ones,
            "alpha_1": 1.0 * ones,
            "beta_0": 0 * ones,
            "beta_1": 1.0 * ones,
            "season_kind": np.full(len(ones), int(self.season > 1)),
            "is_relative": np.zeros(len(ones), np.int64),
            "deviation": np.where(np.isnan(recent), level[:, None], recent).std(axis=1),
        }
        return state, 0


def _expected(state: State) -> Float[np.ndarray, " series"]:
    buffer, kind = state["buffer"], state["season_kind"]
    level = np.where(kind == 1, buffer[:, 0, 0], buffer[:, -1, 0])
    return level + np.where(kind > 1, buffer[:, 0, 2], 0.0)


def _turned(
    real: np.ndarray, hidden: np.ndarray, first: np.ndarray, second: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A complex number after an error, its real part first."""
    return (
        real - (1 - second) * hidden + (first - second) * error,
        real + (1 - first) * hidden + (first + second) * error,
    )


def fit_one(values: Float[np.ndarray, " time"], form: str | None, season: int) -> dict[str, Any]:
    """The form, constants and last states of one series, as statsforecast finds them.

    A `form`, a letter of KINDS, leaves no choice; without one the best by AICc is taken.
    """
    plain = _plain(values, season)
    if len(values) < max(FEWEST, FEWEST_FOR_ALL) or values.min() == values.max():
        return plain
    try:
        from statsforecast.ces import auto_ces
    except ImportError as error:
        raise MissingExtraError("statsforecast", "forecast") from error
    try:
        with np.errstate(all="ignore"):
            # it turns the values around in place while it fits
            model = auto_ces(values.copy(), m=season, model=form or "Z")
    except Exception:
        # statsforecast raises this very class where no form can be fitted
        return plain
    return _state(model, season, plain)


def _state(model: Any, season: int, plain: dict[str, Any]) -> dict[str, Any]:
    kind, number = KINDS.index(model["seasontype"]), int(model["n"])
    back = season if kind else 1
    last = np.asarray(model["states"][number : number + back], np.float64)
    buffer = np.zeros((season, PARTS))
    buffer[season - back :, : last.shape[1]] = last
    constants = {name: np.nan_to_num(float(model["par"][name])) for name in CONSTANTS}
    found = {
        **plain,
        **constants,
        "buffer": buffer,
        "season_kind": kind,
        "deviation": float(np.sqrt(model["sigma2"])),
        "form": model["seasontype"],
    }
    is_finite = np.isfinite(buffer).all() and all(np.isfinite(found[n]) for n in (*CONSTANTS, "deviation"))
    return found if is_finite else plain


CONSTANTS = ("alpha_0", "alpha_1", "beta_0", "beta_1")


def _plain(values: np.ndarray, season: int) -> dict[str, Any]:
    """The last value again and again."""
    buffer = np.zeros((season, PARTS))
    buffer[:, :2] = np.array([1.0, 1 / HIDDEN]) * (float(values[-1]) if len(values) else 0.0)
    return {
        "buffer": buffer,
        "alpha_0": 1.3,
        "alpha_1": 1.0,
        "beta_0": 0.0,
        "beta_1": 1.0,
        "season_kind": 0,
        "is_relative": 0,
        "deviation": float(values.std()) if len(values) else 0.0,
        "form": None,
    }
