"""The report of a forecast: fan charts, errors, leaderboard, coverage, and what was done."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pomona.find.forecasting.calendar import wall_times
from pomona.find.forecasting.engine import ENSEMBLE, Found
from pomona.find.forecasting.members.table import MEMBERS
from pomona.find.forecasting.problem import QUANTILES, Panel, name_of, tail
from pomona.find.forecasting.scores import COVERAGE_HIGH, COVERAGE_LOW
from pomona.foundation.report import bars, line, number, numbers, series, table, text, write_section

SCORES = (
    ("mase", "number"),
    ("rmsse", "number"),
    ("smape", "number"),
    ("wql", "number"),
    ("coverage_80", "percent"),
)


def write_forecast_sections(folder: Path, panel: Panel, found: Found, notes: Sequence[str]) -> None:
    """Writes the sections of a run's report."""
    write_section(folder, 10, "forecast", "Forecast", _summary(panel, found, notes))
    write_section(folder, 20, "fans", "Best, median and worst series", _fans(panel, found), _FANS)
    write_section(folder, 30, "leaderboard", "Leaderboard", [_leaderboard(found)], _BOARD)
    write_section(folder, 40, "errors", "Where the errors are", _errors(panel, found))
    networks = _networks(found)
    if networks:
        write_section(folder, 50, "networks", "Networks that the search kept", networks, _NETWORKS)


_FANS = (
    "By the error of the last validation window. The line is what was, the band holds 80 % of what was "
    "thought possible before it was known."
)
_BOARD = (
    "All were fitted before the first validation window and forecast each window from its beginning. MASE "
    "and RMSSE are errors by the seasonal changes of the history; the share is that in the forecast."
)


_NETWORKS = "Each is a choice from the space of blocks, transformations, losses and training settings."


def _networks(found: Found) -> list:
    """A row for each network of the member of networks, where it has a share."""
    params = found.params.get("networks")
    kept = params.plain.get("networks", []) if params else []
    rows = [
        [one["name"], float(one["weight"]), ", ".join(f"{k} {v}" for k, v in sorted(one["point"].items()))]
        for one in kept
    ]
    return [table(["network", ("share", "percent"), "made of"], rows)] if rows else []


def _summary(panel: Panel, found: Found, notes: Sequence[str]) -> list:
    rated = found.scores[ENSEMBLE]
    best = min((n for n in found.scores if n != ENSEMBLE), key=lambda n: found.scores[n].mase)
    figures = numbers(
        number("series", panel.num_series),
        number("steps ahead", panel.horizon, note=panel.freq.name),
        number("MASE", rated.mase, note=f"best member alone: {best} {found.scores[best].mase:.3f}"),
        number("coverage of 80 % intervals", rated.coverage_80, format="percent"),
    )
    shares = ", ".join(f"{name} {weight:.0%}" for name, weight in found.weights.items())
    return [
        figures,
        text(f"The forecast is made of {shares}."),
        *([text("\n\n".join(notes))] if notes else []),
    ]


def _leaderboard(found: Found) -> dict:
    order = sorted(found.scores, key=lambda name: (found.scores[name].mase, name))
    rows = []
    for name in order:
        plain = found.scores[name].to_json()
        kind = (
            "all together"
            if name == ENSEMBLE
            else MEMBERS[name].title
            if name in MEMBERS
            else "of the simple ones"
        )
        share = 1.0 if name == ENSEMBLE else found.weights.get(name, 0.0)
        rows.append([name, kind, *(plain[score] for score, _ in SCORES), share])
    columns = ["member", "what", *((score, form) for score, form in SCORES), ("share", "percent")]
    return table(columns, rows, highlight=order.index(ENSEMBLE))


def _fans(panel: Panel, found: Found) -> list:
    cut, true = found.origins.cuts[-1], found.origins.truths[-1]
    last = found.validation[ENSEMBLE][-1]
    real = ~np.isnan(true)
    error = np.abs(np.where(real, last.mean - true, 0)).sum(axis=1) / np.maximum(real.sum(axis=1), 1)
    error = np.where(real.any(axis=1), error / found.origins.scale, np.nan)
    order = [int(one) for one in np.argsort(error) if not np.isnan(error[one])]
    if not order:
        return [text("No series is long enough to be validated.")]
    chosen = dict.fromkeys((order[0], order[len(order) // 2], order[-1]))
    names = ("best", "median", "worst") if len(chosen) == 3 else ("the series",) * len(chosen)
    back = int(np.clip(3 * max(panel.freq.season, panel.horizon), 12, 400))
    past = tail(panel, back + panel.horizon)
    return [
        _fan(panel, found, past, s, word, float(error[s]), cut) for s, word in zip(chosen, names, strict=True)
    ]


def _fan(
    panel: Panel, found: Found, past: np.ndarray, one: int, word: str, error: float, cut: np.ndarray
) -> dict:
    last = found.validation[ENSEMBLE][-1]
    steps = panel.ends[one] - past.shape[1] + np.arange(past.shape[1])
    ahead = cut[one] + np.arange(panel.horizon)
    low, high = last.quantiles[one, :, COVERAGE_LOW], last.quantiles[one, :, COVERAGE_HIGH]
    first = str(wall_times(panel, cut[one : one + 1])[0]).removesuffix("T00:00:00").replace("T", " ")
    return line(
        [
            series("was", steps - cut[one], past[one]),
            series("forecast", ahead - cut[one], last.mean[one], low=low, high=high),
        ],
        f"steps from {first}",
        "value",
        caption=f"{word}: {name_of(panel, one)}, scaled error {error:.3g}",
    )


def _errors(panel: Panel, found: Found) -> list:
    scaled, inside = [], []
    for said, true in zip(found.validation[ENSEMBLE], found.origins.truths, strict=True):
        scaled.append(np.abs(said.mean - true) / found.origins.scale[:, None])
        within = (true >= said.quantiles[..., COVERAGE_LOW]) & (true <= said.quantiles[..., COVERAGE_HIGH])
        inside.append(np.where(np.isnan(true), np.nan, within))
    error = np.stack(scaled)
    steps = np.arange(1, panel.horizon + 1)
    if np.isnan(error).all():
        return [text("No series is long enough to be validated.")]
    by_step = [_mean(error[:, :, step]) for step in range(panel.horizon)]
    covered = [_mean(np.stack(inside)[:, :, step]) for step in range(panel.horizon)]
    items = [
        line([series("scaled error", steps, by_step)], "steps ahead", "mean scaled error"),
        line([series("80 % interval", steps, covered)], "steps ahead", "share inside", y_format="percent"),
    ]
    items.append(bars(_by_volume(panel, error), "mean scaled error", caption="By the size of the series"))
    below = {
        f"{level:.0%}": _mean(
            np.concatenate(
                [
                    np.where(np.isnan(t), np.nan, t <= f.quantiles[..., place]).ravel()
                    for f, t in zip(found.validation[ENSEMBLE], found.origins.truths, strict=True)
                ]
            )
        )
        for place, level in enumerate(QUANTILES)
    }
    items.append(
        bars(below, "share of true values at or below", format="percent", caption="Calibration of quantiles")
    )
    return items


def _by_volume(panel: Panel, error: np.ndarray) -> dict[str, float]:
    filled = np.where(np.isnan(panel.values), 0, np.abs(panel.values)).astype(np.float64)
    owner = np.repeat(np.arange(panel.num_series), panel.lengths)
    volume = np.bincount(owner, filled, minlength=panel.num_series) / np.maximum(panel.lengths, 1)
    order = np.argsort(volume, kind="stable")
    parts = np.array_split(order, min(4, len(order)))
    names = ("smallest", "small", "large", "largest")[-len(parts) :] if len(parts) > 1 else ("all",)
    return {name: _mean(error[:, part]) for name, part in zip(names, parts, strict=True)}


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
