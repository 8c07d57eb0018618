"""Model search on the digits task against random search in the same space and untuned support vectors.

    python benchmarks/search_digits.py [--seeds 3] [--trials 20]

All three see the same splits, one a seed. Random search draws as many networks and techniques, trains each
from nothing for as many steps as the search's own first models, and chooses its winner in the same way; its
first two are the usual network at two widths, as the search's are, which makes it stronger than pure chance.
The score is the mean test accuracy of the winner's fresh trainings. Prints one JSON line and writes
benchmarks/results/search_digits.json.
"""

import argparse
import os
import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pomona.find.search import SearchSettings, search
from pomona.foundation.files import to_json, write_json
from pomona.foundation.run import open_run
from pomona.foundation.statistics import t_interval
from pomona.tasks import load_task

RESULT = Path(__file__).parent / "results" / "search_digits.json"


def main() -> None:
    """Runs all seeds of both strategies and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=20)
    wanted = parser.parse_args()
    ours = SearchSettings(trials=wanted.trials)
    strategies = {"search": ours, "random": replace(ours, starts=wanted.trials, inherit=False)}
    runs = {
        name: [searched(settings, seed) for seed in range(wanted.seeds)]
        for name, settings in strategies.items()
    }
    result = {
        "benchmark": "search_digits",
        "unit": "test accuracy, mean of the winner's fresh trainings",
        "bar": 0.99,
        "command": f"python benchmarks/search_digits.py --seeds {wanted.seeds} --trials {wanted.trials}",
        **{name: summed_up(found, "best") for name, found in runs.items()},
        "search_ensemble": summed_up(runs["search"], "ensemble"),
        "baseline": {
            "name": runs["search"][0]["baseline"]["name"],
            **summed_up(runs["search"], "baseline"),
        },
        "trials": wanted.trials,
        "seeds": wanted.seeds,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, result)
    print(to_json(result))


def searched(settings: SearchSettings, seed: int) -> dict[str, Any]:
    """The summary of one search, on the splits of `seed`."""
    with tempfile.TemporaryDirectory() as folder:
        task = load_task("digits", seed=seed)
        identity = {"seed": seed}
        with open_run(
            Path(folder) / "run", verb="search", subject="digits", identity=identity, seed=seed
        ) as run:
            return search(task, settings, run=run).summary()


def summed_up(runs: list[dict[str, Any]], who: str) -> dict[str, Any]:
    """The test accuracy over seeds with its t interval, and what it took."""
    scores = np.array([run[who]["test"] for run in runs])
    interval = t_interval(scores) if len(scores) > 1 else None
    return {
        "test": float(scores.mean()),
        "low": interval and interval.low,
        "high": interval and interval.high,
        "test_of_seeds": scores.tolist(),
        "parameters": [run[who].get("parameters") for run in runs],
        "seconds": float(np.mean([run["seconds"] for run in runs])),
    }


if __name__ == "__main__":
    main()
