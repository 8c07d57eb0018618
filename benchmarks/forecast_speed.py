"""How long `pomona forecast` takes on a monthly table of 300 series, as a user starts it.

    python benchmarks/forecast_speed.py [--runs 3] [--series 300]

The first 300 series of medicines (pbs) as a CSV file, 60 to 204 months each; nothing but the columns is said.
Then `pomona predict` with the same file. Seconds are the clock's, from the start of a process to its end, of
each run; the first also compiles where nothing was forecast on this machine before. All of M5 is timed by
forecast_m5.py. Writes benchmarks/results/forecast_speed.json and prints one JSON line.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import pyarrow.csv
from forecast_m5 import pomona

from pomona.find.forecasting.sets.table import SETS
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import available_threads

RESULT = Path(__file__).parent / "results" / "forecast_speed.json"


def main() -> None:
    """Times every run and writes the result."""
    parser = argparse.ArgumentParser(description="How long does `pomona forecast` take?")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--series", type=int, default=300)
    wanted = parser.parse_args()
    result = head(wanted) | {"measured": [timed(wanted.series) for _ in range(wanted.runs)]}
    write_json(RESULT, result)
    print(to_json(result))


def timed(num_series: int) -> dict:
    """One run."""
    own = SETS["pbs"].columns
    with tempfile.TemporaryDirectory(prefix="pomona-") as folder:
        out, table = Path(folder), Path(folder) / "monthly.csv"
        write_first(table, num_series)
        names = [part for name in own.series or () for part in ("--series", name)]
        columns = ["--time", own.time, "--value", own.value, *names]
        seconds, peak = pomona("forecast", table, *columns, "--out", out / "run")
        serving, _ = pomona("predict", out / "run" / "artifact", table, "--out", out / "served.parquet")
        result = read_json(out / "run" / "result.json")
    return {
        "series": result["series"],
        "freq": result["freq"],
        "horizon": result["horizon"],
        "seconds": seconds,
        "serving_seconds": serving,
        "peak_gb": peak,
        "mase_on_validation": result["validation"]["mase"],
        "chosen": ", ".join(f"{name} {share:.2f}" for name, share in result["chosen"].items()),
    }


def write_first(path: Path, num_series: int) -> None:
    """The first series of the set, with all their rows."""
    own = SETS["pbs"]
    table = pyarrow.csv.read_csv(own.table())
    keys = list(zip(*(table.column(name).to_pylist() for name in own.columns.series or ()), strict=True))
    first = set(list(dict.fromkeys(keys))[:num_series])
    pyarrow.csv.write_csv(table.filter(pyarrow.array([key in first for key in keys])), path)


def head(wanted: argparse.Namespace) -> dict:
    """What the page of results says of every benchmark."""
    return {
        "benchmark": "forecast_speed",
        "unit": "seconds, GB",
        "bar": "300 monthly series within 180 seconds on 2 cores",
        "command": f"python benchmarks/forecast_speed.py --runs {wanted.runs} --series {wanted.series}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {available_threads()} used",
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
