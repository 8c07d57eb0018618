"""How often 80 % intervals of `pomona forecast` hold the truth, at several origins of each of six sets.

    python benchmarks/forecast_coverage.py [--sets tourism,…] [--networks] [--runs FOLDER] [--again]

One window says little: all series share its weather, so that shares of single windows lie far apart. Origins
of the four sets of many series are a horizon apart. Those of the two of few series lie all over a year, each
on another day of the week than the one before, and what is found at one also forecasts a window every four
days until the next, as `pomona predict` does; the last is that of forecast_fpp3.py. Members are fitted anew
at each origin, networks left out unless --networks asks for rows with them too. Beside ours stand the
intervals of the seasonal naive forecast, which nothing corrects. Intervals of the mean over windows are drawn
over origins. Kept in benchmarks/results/forecast_coverage.json.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np
from forecast_fpp3 import SETS, own_run

from pomona.find.forecasting.command import read_subject
from pomona.find.forecasting.engine import find_forecast, forecast_with
from pomona.find.forecasting.members import naive
from pomona.find.forecasting.members.table import chosen_members
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, truth
from pomona.find.forecasting.scores import scale_of
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.files import read_json, to_json, write_json

RESULT = Path(__file__).parent / "results" / "forecast_coverage.json"
NUMBER = {"tourism": 4, "prison": 3, "pbs": 2, "aus-retail": 4, "pedestrian": 8, "vic-elec": 8}
DAYS_APART = 41
"""Between origins of hours: eight lie all over a year, neighbours on different days of the week."""
DAYS_BETWEEN = 4
WITH = ", with networks"


def main() -> None:
    """Measures the sets that are asked for and not there yet, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--networks", action="store_true", help="what is forecast with networks as well")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--runs", type=Path, help="folder in which our runs are kept and gone on with")
    wanted = parser.parse_args()
    for name in wanted.sets.split(","):
        row = f"{name}{WITH}" if wanted.networks else name
        if wanted.again or row not in {one["set"] for one in measured_before()}:
            panel = read_subject(name, ColumnOptions(), ForecastSettings()).panel
            record({"set": row, **measured(name, panel, wanted.runs, with_networks=wanted.networks)})
    print(to_json(read_json(RESULT)))


def measured(name: str, panel: Panel, runs: Path | None, *, with_networks: bool) -> dict:
    """Shares of true values inside and scaled errors, origin by origin and on average."""
    ours, simple, steps = [], [], steps_back(name, panel)
    for place, back in enumerate(steps):
        past = histories(panel, np.maximum(panel.ends - back, panel.start))
        usual = chosen_members("auto", past)[0]
        members = ",".join(one for one in usual if with_networks or one != "networks")
        with own_run(runs, name, back) as run:
            found = find_forecast(past, ForecastSettings(members=members), run=run)
        until = steps[place + 1] if place + 1 < len(steps) else 0
        seen = [
            histories(panel, np.maximum(panel.ends - later, panel.start))
            for later in range(back, until, -between(panel))
        ]
        said = [forecast_with(found.params, found.weights, found.correction, one, one.ends) for one in seen]
        ours.append([judged(one, panel, past.ends) for one in zip(said, seen, strict=True)])
        said = [naive.predict(Params({}), one, one.ends) for one in seen]
        simple.append([judged(one, panel, past.ends) for one in zip(said, seen, strict=True)])
    shares = [[one[0] for one in own] for own in ours]
    generator, places = np.random.default_rng(0), np.arange(len(steps))
    draws = [mean_of([shares[place] for place in generator.choice(places, len(places))]) for _ in range(1000)]
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    plain = np.concatenate(simple).mean(axis=0)
    return {
        "coverage_80": mean_of(shares),
        "low": low,
        "high": high,
        "windows": sum(map(len, shares)),
        "by origin": ", ".join(f"{np.mean(own):.3f}" for own in shares),
        "seasonal naive": float(plain[0]),
        "mase": float(np.concatenate(ours)[:, 1].mean()),
        "mase of seasonal naive": float(plain[1]),
    }


def judged(window: tuple[Forecast, Panel], panel: Panel, fitted_to: np.ndarray) -> tuple[float, float]:
    """Share of known values from the quantile .1 to .9, and the mean absolute error by the series' scales."""
    said, seen = window
    true = truth(panel, seen.ends)
    known = np.isfinite(true)
    inside = (true >= said.quantiles[..., 0]) & (true <= said.quantiles[..., -1])
    error = (np.abs(said.mean - true) / scale_of(panel, fitted_to)[:, None])[known.any(axis=1)]
    return float(inside[known].mean()), float(np.nanmean(error, axis=1).mean())


def mean_of(shares: list[list[float]]) -> float:
    """The mean over the windows of all origins."""
    return float(np.mean(np.concatenate(shares)))


def between(panel: Panel) -> int:
    """Steps from a window to the next of the same origin; a horizon where each origin has one."""
    return DAYS_BETWEEN * 86400 // panel.freq.step_seconds if panel.freq.step_seconds else panel.horizon


def steps_back(name: str, panel: Panel) -> list[int]:
    """Steps from each origin to the end of the series, the earliest origin first."""
    apart = panel.horizon
    if panel.freq.step_seconds:
        apart = DAYS_APART * 86400 // panel.freq.step_seconds
    return [panel.horizon + place * apart for place in reversed(range(NUMBER[name]))]


def measured_before() -> list[dict]:
    """What is recorded by now: a row for each set."""
    return read_json(RESULT)["measured"] if RESULT.exists() else []


def record(found: dict) -> None:
    """Adds a measurement in the place of an older one."""
    rows = [row for row in measured_before() if row["set"] != found["set"]] + [found]
    rows.sort(key=lambda row: (WITH in row["set"], SETS.index(row["set"].removesuffix(WITH))))
    header = {
        "benchmark": "forecast_coverage",
        "unit": "share; MASE",
        "bar": ".77 to .83 on each set",
        "command": "python benchmarks/forecast_coverage.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread, other work beside it",
        "date": time.strftime("%Y-%m-%d"),
        "mean of sets": float(np.mean([row["coverage_80"] for row in rows if WITH not in row["set"]])),
    }
    write_json(RESULT, header | {"measured": rows})


if __name__ == "__main__":
    main()
