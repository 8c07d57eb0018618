"""Smoothing with several seasons or a long one: of hours the day and the week, of weeks the year.

Taylor 2003: a level, a season of each length, all moved by shares of each error, and what is left of the last
error, which fades. The shares are those of a grid that would have forecast the horizon best, not one step.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.recursion import State, forecast
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, tail
from pomona.foundation.run import Run

CYCLES = 8
"""Longest seasons that a fit looks back."""
BEGUN = 3
"""Longest seasons at the beginning whose means are the first seasons."""
NUM_ORIGINS = 12
AT_ONCE = 64
LEVEL, SHORT, LONG, FADING = (0.005, 0.03, 0.1), (0.05, 0.15, 0.3), (0.05, 0.15, 0.3), (0.0, 0.6, 0.9, 0.97)


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The shares and last states of all series; nothing but zeros for series without a value."""
    history = histories(panel, cut)
    seasons = usual_seasons(panel)
    values = tail(history, min(int(history.lengths.max(initial=1)), CYCLES * max(seasons)))
    parts = []
    with run.progress("several seasons", panel.num_series, "series") as progress:
        for first in range(0, panel.num_series, AT_ONCE):
            own = values[first : first + AT_ONCE].astype(np.float64)
            parts.append(_fitted(own, seasons, panel.horizon))
            progress.advance(len(own))
            run.check_interrupt()
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Params({**columns, "cut": np.asarray(cut, np.int64)}, {"seasons": list(seasons)})


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """Level, seasons, and what is left of the last error."""
    return forecast(ManySeasons(tuple(params.plain["seasons"])), params, panel, cut)


def usual_seasons(panel: Panel) -> tuple[int, ...]:
    """The lengths of the panel, of which a quarter of the series have three, at least the shortest."""
    usual = float(np.quantile(panel.lengths, 0.75)) if panel.num_series else 0.0
    return tuple(s for s in panel.freq.seasons if s * BEGUN <= usual) or (panel.freq.season,)


@dataclass(frozen=True)
class ManySeasons:
    """The smoothing as a recursion; the first column of each season is the step that comes next."""

    lengths: tuple[int, ...]

    def ahead(self, state: State, horizon: int) -> Float[np.ndarray, "series horizon"]:
        """The means of the next steps."""
        steps = np.arange(horizon)
        mean = state["level"][:, None] + state["error"][:, None] * state["phi"][:, None] ** (steps + 1)
        for place, length in enumerate(self.lengths):
            mean = mean + state[f"season_{place}"][:, steps % length]
        return mean

    def advance(self, state: State, value: Float[np.ndarray, " series"]) -> State:
        """The state after a value."""
        base = state["level"] + sum(state[f"season_{place}"][:, 0] for place in range(len(self.lengths)))
        error = value - base
        moved = {**state, "level": state["level"] + state["alpha"] * error, "error": error}
        for place in range(len(self.lengths)):
            season = state[f"season_{place}"]
            new = season[:, 0] + state[f"gamma_{place}"] * error
            moved[f"season_{place}"] = np.concatenate([season[:, 1:], new[:, None]], axis=1)
        return moved

    def start(self, history: Panel) -> tuple[State, int]:
        """The usual shares, moved through the last seasons."""
        back = int(min(CYCLES * max(self.lengths), history.lengths.max(initial=1)))
        values = tail(history, back).astype(np.float64)
        state = _begun(values, self.lengths)
        usual = [np.full(len(values), share) for share in (LEVEL[1], FADING[2], SHORT[1], LONG[1])]
        state |= dict(zip(_shares(self.lengths), usual, strict=False))
        return {**state, "deviation": _spread(values), "is_relative": np.zeros(len(values), np.int64)}, back


def _fitted(
    values: Float[np.ndarray, "series time"], lengths: tuple[int, ...], horizon: int
) -> dict[str, np.ndarray]:
    """The state after the last value, by the shares that forecast best at some origins before.

    All choices move through the values at once; a choice counts by its error in the series and in all.
    """
    choices = np.array(list(itertools.product(LEVEL, FADING, *(SHORT, LONG)[: len(lengths)])))
    number, count, width = len(values), len(choices), values.shape[1]
    alpha, phi, *gammas = (np.tile(choices[:, place], number) for place in range(choices.shape[1]))
    begun = _begun(values, lengths)
    level, error = np.repeat(begun["level"], count), np.zeros(number * count)
    seasons = [np.repeat(begun[f"season_{place}"].T, count, axis=1) for place in range(len(lengths))]
    cuts, missed, squares = _cuts(width, horizon), np.zeros((number, count)), np.zeros(number * count)
    for step in range(width):
        if step in cuts:
            steps = np.arange(step, step + horizon)
            said = level + error * phi ** (steps - step + 1)[:, None]
            said = said + sum(season[steps % len(season)] for season in seasons)
            true = values[:, step : step + horizon].T[..., None]
            missed += np.nan_to_num(np.abs(said.reshape(horizon, number, count) - true)).mean(axis=0)
        value = np.repeat(values[:, step], count)
        base = level + sum(season[step % len(season)] for season in seasons)
        is_there = ~np.isnan(value)
        squares += np.where(is_there, value - base - phi * error, 0.0) ** 2 * (step >= width // 2)
        error = np.where(is_there, value - base, phi * error)
        new = np.where(is_there, error, 0.0)
        level = level + alpha * new
        for season, gamma in zip(seasons, gammas, strict=True):
            season[step % len(season)] += gamma * new
    by_series = missed / np.maximum(missed.min(axis=1, keepdims=True), 1e-12)
    best = (by_series + by_series.mean(axis=0)).argmin(axis=1) + count * np.arange(number)
    known = np.maximum((~np.isnan(values[:, width // 2 :])).sum(axis=1), 1)
    found = {"level": level[best], "error": error[best], "deviation": np.sqrt(squares[best] / known)}
    found |= {name: choices[best % count, place] for place, name in enumerate(_shares(lengths))}
    for place, season in enumerate(seasons):
        found[f"season_{place}"] = np.roll(season[:, best].T, -(width % len(season)), axis=1)
    return {**found, "is_relative": np.zeros(number, np.int64)}


def _cuts(width: int, horizon: int) -> set[int]:
    """Where choices are compared: in the second half, a whole horizon before the end at most."""
    last = width - horizon
    return (
        set(np.linspace(min(width // 2, last), last, NUM_ORIGINS).astype(int).tolist()) if last > 0 else set()
    )


def _begun(values: Float[np.ndarray, "series time"], lengths: tuple[int, ...]) -> State:
    """A level and seasons from the mean of the first cycles, one season after the other."""
    early = values[:, : BEGUN * max(lengths)]
    level = _mean(early, 1)
    rest, state = early - level[:, None], {"level": level, "error": np.zeros(len(values))}
    for place, length in enumerate(lengths):
        whole = -(-rest.shape[1] // length) * length
        padded = np.pad(rest, ((0, 0), (0, whole - rest.shape[1])), constant_values=np.nan)
        season = _mean(padded.reshape(len(rest), -1, length), 1)
        state[f"season_{place}"] = season
        rest = rest - season[:, np.arange(rest.shape[1]) % length]
    return state


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of values that are there, 0 without any."""
    number = (~np.isnan(values)).sum(axis=axis)
    return np.nan_to_num(values).sum(axis=axis) / np.maximum(number, 1)


def _spread(values: Float[np.ndarray, "series time"]) -> Float[np.ndarray, " series"]:
    return np.sqrt(_mean((values - _mean(values, 1)[:, None]) ** 2, 1))


def _shares(lengths: tuple[int, ...]) -> list[str]:
    """The names of the shares, in the order of a choice."""
    return ["alpha", "phi", *(f"gamma_{place}" for place in range(len(lengths)))]
