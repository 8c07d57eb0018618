"""Two stores of M5, the last 28 days held out: weighted RMSSE over the levels that exist in this part.

    python benchmarks/forecast_m5.py [--peer PYTHON] [--neural PYTHON] [--autogluon PYTHON] [--only ours,…]
        [--members trees,…] [--every 4] [--limit 1800]

Levels: both stores together, store, category, department, store and category, store and department, item,
item and store. Weights are sales in money over the 28 days before; scales begin with the first sale
(Makridakis, Spiliotis, Assimakopoulos 2022). `--peer` is the Python of peers/forecast.txt, `--neural` one
with neuralforecast, whose models train for `--limit` seconds at most, `--autogluon` one with AutoGluon, which
has as many. Ours is the command as a user gives it, on a Parquet file, and after it `pomona predict` with the
four weeks that came; `--out` keeps its folder, and a finished run in it is only served again. What was
measured is kept in benchmarks/results/forecast_m5.json. Prints one JSON line.
"""

import argparse
import contextlib
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
from forecast_fpp3 import AUTOGLUON, NEURAL, forecast_of, nixtla_table, peer_python
from pyarrow import parquet

from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel, histories, select, truth
from pomona.find.forecasting.reading.panel import read_panel
from pomona.find.forecasting.sets.m5 import m5_table
from pomona.find.forecasting.sets.table import SETS
from pomona.find.forecasting.settings import ForecastSettings
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import available_threads

RESULT = Path(__file__).parent / "results" / "forecast_m5.json"
PEERS = Path(__file__).parent / "peers" / "forecast_peers.py"
DAY_ONE, LAST_DAY = np.datetime64("2011-01-29"), 1913
STATISTICAL = ("SeasonalNaive", "WindowAverage", "CrostonSBA", "IMAPA", "ADIDA")
LEVELS = ((), ("store_id",), ("cat_id",), ("dept_id",), ("store_id", "cat_id"), ("store_id", "dept_id"))
LEVELS = (*LEVELS, ("item_id",), ("item_id", "store_id"))
WITH_PRICES = "LightGBM with prices"
MOST_STEPS = 800
"""Peers see so many days at most: LightGBM needs memory for each, and older ones say little."""


def main() -> None:
    """Measures what is asked for and not there yet, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer")
    parser.add_argument("--neural")
    parser.add_argument("--autogluon")
    parser.add_argument("--limit", type=float, default=1800.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--members", default="auto")
    parser.add_argument(
        "--every", type=int, default=1, help="series of which one is taken; says so in the name"
    )
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--out", type=Path, help="folder in which our files and run are kept")
    wanted = parser.parse_args()
    columns = SETS["m5"].columns
    whole = read_panel(m5_table(LAST_DAY, 28), columns, ForecastSettings(horizon=28)).panel
    if wanted.every > 1:
        whole = select(whole, np.arange(0, whole.num_series, wanted.every))
    past = replace(histories(whole, whole.ends - 28), position=None)
    true = truth(whole, past.ends)
    names = ["ours", *((*STATISTICAL, "LightGBM", WITH_PRICES) if wanted.peer else ())]
    names += NEURAL if wanted.neural else ()
    names += [AUTOGLUON] if wanted.autogluon else []
    for model in names:
        if wanted.only and model not in wanted.only.split(","):
            continue
        row = f"{model}: {wanted.members}" if model == "ours" and wanted.members != "auto" else model
        row += f", one of {wanted.every} series" if wanted.every > 1 else ""
        if wanted.again or row not in {one["model"] for one in measured_before()}:
            began = time.perf_counter()
            said, more = ours(past, wanted) if model == "ours" else (peer(model, past, wanted), {})
            if said is not None:
                spent = {"seconds": time.perf_counter() - began} if model != "ours" else cost_before(row)
                record(row, {**scored(said, past, true), **spent, **more})
    print(to_json(read_json(RESULT)))


def cost_before(model: str) -> dict:
    """What is recorded of a run that is now only served again; nothing of one that is new."""
    earlier = next((row for row in measured_before() if row["model"] == model), {})
    return {name: earlier[name] for name in ("seconds", "peak_gb") if name in earlier}


def ours(past: Panel, wanted: argparse.Namespace) -> tuple[Forecast, dict]:
    """What `pomona forecast` says, of what it is made, and how long its artifact takes with what came."""
    columns = SETS["m5"].columns
    named = {"--time": (columns.time,), "--value": (columns.value,), "--series": columns.series or ()}
    named |= {"--known-future": columns.known_future, "--static": columns.static}
    options = [part for flag, names in named.items() for name in names for part in (flag, name)]
    options += ["--horizon", past.horizon, "--members", wanted.members]
    options += ["--seconds", wanted.seconds] if wanted.seconds else []
    with contextlib.ExitStack() as stack:
        out = wanted.out
        if out is None:
            out = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pomona-")))
        history, later, served = (out / f"{name}.parquet" for name in ("history", "later", "served"))
        cut = LAST_DAY - past.horizon
        write_days(history, past, 1, cut)
        write_days(later, past, cut + 1, LAST_DAY)
        cost = {}
        if not (out / "run" / "result.json").exists():
            seconds, peak = pomona("forecast", history, *options, "--out", out / "run")
            cost = {"seconds": seconds, "peak_gb": peak}
        serving, _ = pomona("predict", out / "run" / "artifact", later, "--out", served)
        forecast = forecast_in(out / "run" / "forecast.parquet", past)
        result = read_json(out / "run" / "result.json")
    shares = ", ".join(f"{name} {weight:.2f}" for name, weight in result["chosen"].items())
    return forecast, {
        "chosen": shares,
        "threads": available_threads(),
        **cost,
        "serving_seconds": serving,
    }


def pomona(verb: str, *parts: object) -> tuple[float, float]:
    """Seconds of a command in a process of its own, and the most memory of any by now, in GB."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pomona", verb, *map(str, parts)], check=True)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def write_days(path: Path, past: Panel, first: int, last: int) -> None:
    """The rows of a panel's series from one day to another, and a horizon more without values."""
    keys = pyarrow.compute.binary_join_element_wise(*(column.cast("string") for column in past.keys), " ")
    since = pyarrow.scalar((DAY_ONE + first - 1).item())
    writer = None
    table = m5_table(last, past.horizon)
    for batch in table.read(table.names):
        own = [batch.column(name).cast("string") for name in past.keys.column_names]
        is_series = pyarrow.compute.is_in(pyarrow.compute.binary_join_element_wise(*own, " "), keys)
        is_later = pyarrow.compute.greater_equal(batch.column("date"), since)
        piece = pyarrow.table(batch).filter(pyarrow.compute.and_(is_series, is_later))
        writer = writer or parquet.ParquetWriter(path, piece.schema)
        writer.write_table(piece)
    assert writer is not None
    writer.close()


def forecast_in(path: Path, past: Panel) -> Forecast:
    """What a forecast file says, in the order of a panel's series."""
    table, names = parquet.read_table(path), past.keys.column_names
    place = {key: row for row, key in enumerate(rows_of(past.keys))}
    rows = np.array([place[key] for key in rows_of(table.select(names))])
    order = np.lexsort((table.column("date").to_numpy(), rows))

    def grid(name: str) -> np.ndarray:
        return table.column(name).to_numpy()[order].reshape(past.num_series, past.horizon)

    levels = [grid(f"q{round(100 * level)}") for level in QUANTILES]
    return Forecast(grid("mean"), np.stack(levels, axis=-1))


def rows_of(keys: pyarrow.Table) -> list[tuple[str, ...]]:
    """The names of each row's series."""
    return list(zip(*(column.cast("string").to_pylist() for column in keys.columns), strict=True))


def peer(model: str, past: Panel, wanted: argparse.Namespace) -> Forecast | None:
    """What a peer says; None where it fails."""
    with tempfile.TemporaryDirectory(prefix="pomona-") as folder:
        train, out = Path(folder) / "train.parquet", Path(folder) / "out.parquet"
        table = nixtla_table(past, MOST_STEPS)
        if model == WITH_PRICES:
            table, future = with_columns(table, past)
            parquet.write_table(future, f"{train}.future")
        parquet.write_table(table, train)
        python = peer_python(model, wanted)
        command = [python, PEERS, train, out, model, str(past.horizon), "7", "D", str(wanted.limit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(model, done.stderr[-500:], flush=True)
            return None
        return forecast_of(parquet.read_table(out), past)


def with_columns(table: pyarrow.Table, past: Panel) -> tuple[pyarrow.Table, pyarrow.Table]:
    """A peer's table with the categories of series and what is known ahead, and the days to forecast."""
    series, days = table.column("unique_id").to_numpy(), table.column("ds").to_numpy()
    number = np.bincount(series, minlength=past.num_series)
    ahead = np.arange(past.horizon)
    # a series' rows are its last ones, in order; its known values go on for a horizon more
    first = past.known_offsets[1:] - past.horizon - number
    rank = np.arange(len(series)) - (np.cumsum(number) - number)[series]
    places = first[series] + rank
    future = (past.known_offsets[1:, None] - past.horizon + ahead).reshape(-1)
    last = days[np.cumsum(number) - 1]
    later = {
        "unique_id": np.repeat(np.arange(past.num_series), past.horizon),
        "ds": (last[:, None] + (ahead + 1) * np.timedelta64(1, "D")).reshape(-1),
    }
    for name, column in past.known.items():
        later[f"known {name}"] = column[future]
        table = table.append_column(f"known {name}", pyarrow.array(column[places]))
    for name, column in past.static.items():
        table = table.append_column(f"static {name}", pyarrow.array(column[series]))
    return table, pyarrow.table(later)


def scored(said: Forecast, past: Panel, true: np.ndarray) -> dict:
    """Weighted RMSSE in all and by level, coverage of 80 % intervals and how flat the PIT is."""
    dense = np.zeros((past.num_series, int(past.ends.max())))
    for series in range(past.num_series):
        values = past.values[past.offsets[series] : past.offsets[series + 1]]
        dense[series, past.start[series] : past.ends[series]] = values
    money = (dense[:, -28:] * last_price(past)[:, None]).sum(axis=1)
    by_level = {}
    for level in LEVELS:
        code = groups(past, level)
        by_level[" × ".join(level) or "all"] = wrmsse(dense, said.mean, true, money, code)
    pit = randomised_pit(said, true)
    flat = {"pit_deciles": ", ".join(f"{share:.3f}" for share in pit)} if pit is not None else {}
    inside = (true >= said.quantiles[..., 0]) & (true <= said.quantiles[..., -1])
    coverage = {"coverage_80": float(inside.mean())} if np.isfinite(said.quantiles[..., 0]).all() else {}
    return {"wrmsse": float(np.mean(list(by_level.values()))), **by_level, **coverage, **flat}


def wrmsse(
    dense: np.ndarray, mean: np.ndarray, true: np.ndarray, money: np.ndarray, code: np.ndarray
) -> float:
    """Of the sums over each group; each scale begins with the first sale."""
    number = int(code.max()) + 1
    past, error, weight = np.zeros((number, dense.shape[1])), np.zeros((number, 28)), np.zeros(number)
    np.add.at(past, code, dense)
    np.add.at(error, code, mean - true)
    np.add.at(weight, code, money)
    began = (past > 0).argmax(axis=1)
    change = np.diff(past, axis=1) ** 2
    counts = np.arange(1, past.shape[1]) > began[:, None]
    scale = (change * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    rmsse = np.sqrt((error**2).mean(axis=1) / np.where(scale > 0, scale, 1))
    return float((rmsse * weight).sum() / weight.sum())


def groups(past: Panel, level: tuple[str, ...]) -> np.ndarray:
    """A number for each series: the group of a level that it is in."""
    code = np.zeros(past.num_series, np.int64)
    for name in level:
        code = code * (int(past.static[name].max()) + 1) + past.static[name]
    return np.unique(code, return_inverse=True)[1]


def last_price(past: Panel) -> np.ndarray:
    """The price of each item on its last day before the cut."""
    return past.known["price"][past.known_offsets[1:] - past.horizon - 1]


def randomised_pit(said: Forecast, true: np.ndarray) -> list[float] | None:
    """Shares of true values between one quantile and the next, ties split by lot: .1 each is flat."""
    if not np.isfinite(said.quantiles).all():
        return None
    edges = said.quantiles
    lot = np.random.default_rng(0).random(true.shape)
    below = (edges < true[..., None]).sum(axis=-1)
    upto = (edges <= true[..., None]).sum(axis=-1)
    place = np.floor(below + lot * (upto - below + 1)).astype(int).clip(0, 9)
    return [float((place == decile).mean()) for decile in range(10)]


def record(model: str, found: dict) -> None:
    """Adds a measurement to what is recorded by now."""
    rows = [row for row in measured_before() if row["model"] != model]
    rows.append({"model": model, **found})
    rows.sort(key=lambda row: row["wrmsse"])
    header = {
        "benchmark": "forecast_m5",
        "unit": "weighted RMSSE, seconds, GB",
        "bar": "within 1 % of the best peer; 30 minutes and 6 GB on 2 cores",
        "command": "python benchmarks/forecast_m5.py --peer PYTHON",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores; one thread where no other number stands",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, header | {"measured": rows})


def measured_before() -> list[dict]:
    """What is recorded by now: a row for each model."""
    return read_json(RESULT)["measured"] if RESULT.exists() else []


if __name__ == "__main__":
    main()
