"""Six sets of real series, forecast by `pomona forecast` and by its peers on the same splits.

    python benchmarks/forecast_fpp3.py --peer PYTHON [--neural PYTHON] [--autogluon PYTHON] [--sets tourism,…]
        [--only ours,…]

The last horizon of every set is held out; the two sets of few series are held out at several origins. Errors
are mean absolute errors by the mean absolute seasonal change of the history (MASE), a mean over series and
origins.
`--peer` is the Python of peers/forecast.txt, `--neural` that of peers/forecast_neural.txt, `--autogluon` that
of peers/forecast_autogluon.txt: these two work as long as ours took, networks, or until their own number of
steps. What was measured is kept in
benchmarks/results/forecast_fpp3.json; --again measures it anew. Prints one JSON line.
"""

import argparse
import contextlib
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import parquet

from pomona.find.forecasting.calendar import wall_times
from pomona.find.forecasting.command import read_subject
from pomona.find.forecasting.engine import find_forecast
from pomona.find.forecasting.members.table import chosen_members
from pomona.find.forecasting.problem import Forecast, Panel, histories, truth
from pomona.find.forecasting.scores import scale_of
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.console import Console
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import Run, open_run, temporary_run

RESULT = Path(__file__).parent / "results" / "forecast_fpp3.json"
PEERS = Path(__file__).parent / "peers" / "forecast_peers.py"
SETS = ("tourism", "prison", "pbs", "aus-retail", "pedestrian", "vic-elec")
ORIGINS = {"pedestrian": 3, "vic-elec": 3}
STATISTICAL = ("SeasonalNaive", "AutoETS", "AutoTheta", "AutoCES")
THREE = STATISTICAL[1:]
WITHOUT = "ours without networks"
NEURAL = ("NHITS", "PatchTST")
AUTOGLUON = "AutoGluon"
MOST_STEPS = 1000
"""Statistical peers are given so many steps at most: on years of hours they would take hours."""
FREQS = {"day": "D", "week": "W", "month": "MS", "quarter": "QS", "hour": "h", "minute": "30min"}


def main() -> None:
    """Measures what is asked for and not there yet, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer")
    parser.add_argument("--neural")
    parser.add_argument("--autogluon")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--only", default="")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--runs", type=Path, help="folder in which our runs are kept and gone on with")
    wanted = parser.parse_args()
    for name in wanted.sets.split(","):
        panel = read_subject(name, ColumnOptions(), ForecastSettings()).panel
        with contextlib.ExitStack() as stack:
            said: dict = {"stack": stack, "name": name}
            for model in models_of(wanted):
                done = {(row["set"], row["model"]) for row in measured_before()}
                if (name, model) not in done or wanted.again:
                    said["limit"] = own_seconds(name)
                    found = measured(model, panel, ORIGINS.get(name, 1), wanted, said)
                    if found is not None:
                        record(name, model, found)
    print(to_json(read_json(RESULT)))


def measured_before() -> list[dict]:
    """What is recorded by now, perhaps by another process: a row for each set and model."""
    return read_json(RESULT)["measured"] if RESULT.exists() else []


def own_seconds(name: str) -> float:
    """How long ours took on a set, with networks if that is recorded; else five minutes."""
    own = {row["model"]: row["seconds"] for row in measured_before() if row["set"] == name}
    return own.get("ours", own.get(WITHOUT, 300.0))


def record(name: str, model: str, found: dict) -> None:
    """Adds a measurement in the place of an older one."""
    rows = [row for row in measured_before() if (row["set"], row["model"]) != (name, model)]
    rows.append({"set": name, "model": model, **found})
    rows.sort(key=lambda row: (SETS.index(row["set"]), row["mase"]))
    write_json(RESULT, header() | together(rows) | {"measured": rows})


def models_of(wanted: argparse.Namespace) -> list[str]:
    """Names of what is measured, ours first; without networks before, as the second goes on from there."""
    names = [WITHOUT, "ours", *(STATISTICAL if wanted.peer else ()), *(("LightGBM",) if wanted.peer else ())]
    names += ["median of three"] if wanted.peer else []
    names += list(NEURAL) if wanted.neural else []
    names += [AUTOGLUON] if wanted.autogluon else []
    return [name for name in names if not wanted.only or name in wanted.only.split(",")]


def measured(model: str, panel: Panel, origins: int, wanted: argparse.Namespace, said: dict) -> dict | None:
    """Mean scaled error, coverage of 80 % intervals and seconds of one model on one set.

    `said` keeps the forecasts of peers, for the median of three of them, and the runs of ours.
    """
    errors, covered, seconds, more = [], [], 0.0, {}
    for back in range(origins, 0, -1):
        cut = np.maximum(panel.ends - back * panel.horizon, panel.start)
        past = histories(panel, cut)
        began = time.perf_counter()
        if model in ("ours", WITHOUT):
            if ("run", back) not in said:
                opened = own_run(wanted.runs, said["name"], back * panel.horizon)
                said["run", back] = said["stack"].enter_context(opened)
            forecast, more = ours(past, model == WITHOUT, said["run", back])
        elif model == "median of three":
            forecast = median_of([said.get((name, back)) for name in THREE])
        else:
            forecast = said[model, back] = peer(model, past, wanted, said["limit"] / origins)
        took = time.perf_counter() - began
        if model in ("ours", WITHOUT):
            took = with_earlier(took, said["run", back])
        seconds += took
        if forecast is None:
            return None
        true = truth(panel, cut)
        error = np.abs(forecast.mean - true) / scale_of(panel, cut)[:, None]
        errors.append(np.nanmean(error, axis=1))
        low, high = forecast.quantiles[..., 0], forecast.quantiles[..., -1]
        inside = ((true >= low) & (true <= high))[~np.isnan(true) & ~np.isnan(low)]
        covered.append(inside)
    flat, inside = np.concatenate(errors), np.concatenate(covered)
    flat = flat[~np.isnan(flat)]
    draws = np.random.default_rng(0).choice(flat, (1000, len(flat))).mean(axis=1)
    interval = np.quantile(draws, [0.025, 0.975])
    coverage = {"coverage_80": float(inside.mean())} if len(inside) else {}
    low, high = interval.tolist()
    return {"mase": float(flat.mean()), "low": low, "high": high, **coverage, "seconds": seconds, **more}


def own_run(kept: Path | None, name: str, back: int) -> contextlib.AbstractContextManager[Run]:
    """The run of a set cut so many steps before its end; kept in a folder where one is given."""
    if kept is None:
        return temporary_run()
    folder = kept / f"{name}-{back}"
    return open_run(
        folder, verb="benchmark", subject=name, identity={"back": back}, console=Console(quiet=True)
    )


def with_earlier(took: float, run: Run) -> float:
    """Seconds with those spent on the run before: what two kinds share counts for both."""
    path = run.folder / "spent.json"
    total = took + (read_json(path)["seconds"] if path.exists() else 0.0)
    write_json(path, {"seconds": total})
    return total


def ours(past: Panel, is_without: bool, run: Run) -> tuple[Forecast, dict]:
    """What `pomona forecast` forecasts, and of what. Both kinds share a run: each member is fitted once."""
    usual, _ = chosen_members("auto", past)
    members = ",".join(name for name in usual if not (is_without and name == "networks"))
    found = find_forecast(past, ForecastSettings(members=members), run=run)
    shares = ", ".join(f"{name} {weight:.2f}" for name, weight in found.weights.items())
    return found.forecast, {"chosen": shares}


def peer(model: str, past: Panel, wanted: argparse.Namespace, limit: float) -> Forecast | None:
    """What a peer forecasts, networks after `limit` seconds at most; None where it fails."""
    python = peer_python(model, wanted)
    with tempfile.TemporaryDirectory(prefix="pomona-") as folder:
        train, out = Path(folder) / "train.parquet", Path(folder) / "out.parquet"
        parquet.write_table(nixtla_table(past, MOST_STEPS if model in STATISTICAL else None), train)
        arguments = [model, past.horizon, past.freq.season, FREQS[past.freq.unit], limit]
        done = subprocess.run(
            [python, PEERS, train, out, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(model, done.stderr[-500:], flush=True)
            return None
        return forecast_of(parquet.read_table(out), past)


def peer_python(model: str, wanted: argparse.Namespace) -> str:
    """The Python of a peer's environment."""
    return {AUTOGLUON: wanted.autogluon, **dict.fromkeys(NEURAL, wanted.neural)}.get(model, wanted.peer)


def median_of(three: list[Forecast | None]) -> Forecast | None:
    """The median of forecasts; None where one of them failed."""
    parts = [one for one in three if one is not None]
    if len(parts) < len(three):
        return None
    means, quantiles = [one.mean for one in parts], [one.quantiles for one in parts]
    return Forecast(np.median(np.stack(means), axis=0), np.median(np.stack(quantiles), axis=0))


def nixtla_table(past: Panel, most_steps: int | None) -> pyarrow.Table:
    """unique_id, ds, y of the last steps of each series that has any."""
    first = past.start if most_steps is None else np.maximum(past.start, past.ends - most_steps)
    series = np.repeat(np.arange(past.num_series), past.lengths)
    steps = np.arange(len(past.values)) - np.repeat(past.offsets[:-1] - past.start, past.lengths)
    kept = steps >= first[series]
    times = wall_times(past, steps[kept]) if past.zone is None else times_in_utc(past, steps[kept])
    columns = {"unique_id": series[kept], "ds": times.astype("datetime64[ns]"), "y": past.values[kept]}
    return pyarrow.table({name: pyarrow.array(column) for name, column in columns.items()})


def times_in_utc(past: Panel, steps: np.ndarray) -> np.ndarray:
    """Times without daylight saving, for peers that know none, shifted to the usual offset of the zone."""
    offset = wall_times(past, steps[:1]) - (
        past.origin + steps[:1] * np.timedelta64(past.freq.step_seconds, "s")
    )
    return past.origin + (steps * past.freq.step_seconds).astype("timedelta64[s]") + offset


def forecast_of(table: pyarrow.Table, past: Panel) -> Forecast:
    """A peer's rows as a forecast; quantiles are NaN but for the first and the last."""
    shape = (past.num_series, past.horizon)
    series, step = table.column("unique_id").to_numpy().astype(np.int64), table.column("step").to_numpy() - 1
    mean, quantiles = np.full(shape, np.nan), np.full((*shape, 9), np.nan)
    mean[series, step] = table.column("mean").to_numpy()
    for name, place in (("lo", 0), ("hi", -1)):
        if name in table.column_names:
            quantiles[series, step, place] = table.column(name).to_numpy()
    return Forecast(mean, quantiles)


def together(rows: list[dict]) -> dict:
    """Mean rank and mean MASE of the models that were measured on all sets that ours without networks was."""
    by_set: dict[str, dict[str, float]] = {}
    for row in rows:
        by_set.setdefault(row["set"], {})[row["model"]] = row["mase"]
    names = {row["model"] for row in rows}
    kept = [own for own in by_set.values() if WITHOUT in own]
    whole = sorted(model for model in names if kept and all(model in own for own in kept))
    if not whole:
        return {}
    table = np.array([[own[model] for model in whole] for own in kept])
    ranks = table.argsort(axis=1).argsort(axis=1) + 1
    means = [
        {"mean_rank": float(r), "mean_mase": float(m)}
        for r, m in zip(ranks.mean(0), table.mean(0), strict=True)
    ]
    return {
        model: {**mean, "sets": len(kept)}
        for model, mean in sorted(zip(whole, means, strict=True), key=lambda x: x[1]["mean_mase"])
    }


def header() -> dict:
    """What stands above the numbers."""
    return {
        "benchmark": "forecast_fpp3",
        "unit": "MASE, seconds",
        "bar": "lowest mean rank and mean MASE; never above seasonal naive; coverage .77 to .83",
        "command": "python benchmarks/forecast_fpp3.py --peer PYTHON",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one used",
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
