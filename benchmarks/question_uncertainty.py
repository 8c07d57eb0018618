"""All methods of uncertainty on all tasks on record, tuned alike: a complete grid with seeds and intervals.

    python benchmarks/question_uncertainty.py [--tasks digits,wine] [--methods all] [--seeds 5] [--tune 8]
                                              [--quick] [--no-fits]

First every method is tuned on validation data with `--tune` points, which go to the folder
pomona/question/uncertainty/tuned, then each cell is fitted and measured on test data and its line added to
benchmarks/results/uncertainty/TASK.jsonl. What is there is not done again, so that it can be stopped at any
time, and workers can take a task each. Writes benchmarks/results/question_uncertainty.json from all lines
that are there. `--quick` is two tasks, four methods, one seed and no tuning, into a folder of its own;
`--no-fits` only writes the result again.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pomona.foundation.files import to_json, write_json
from pomona.foundation.statistics import t_interval
from pomona.question.uncertainty.baselines import recorded_tasks
from pomona.question.uncertainty.cell import Cell
from pomona.question.uncertainty.grid import cells_in, complete, fill_row, row, tune_row
from pomona.question.uncertainty.summary import PLAIN, best_method, summary

RESULTS = Path(__file__).parent / "results"
FOLDER, RESULT = RESULTS / "uncertainty", RESULTS / "question_uncertainty.json"

QUICK_TASKS = ("wine", "diabetes")
QUICK_METHODS = ("deterministic", "deep-ensemble", "mc-dropout", "laplace-last-layer")


def main() -> None:
    """Fits what is missing and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--methods", default="all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tune", type=int, default=8)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-fits", action="store_true")
    wanted = parser.parse_args()
    if wanted.quick:
        with tempfile.TemporaryDirectory() as folder:
            fill(QUICK_TASKS, ",".join(QUICK_METHODS), 1, 0, Path(folder))
            print(to_json(result(Path(folder))))
        return
    if not wanted.no_fits:
        tasks = recorded_tasks() if wanted.tasks == "all" else wanted.tasks.split(",")
        fill(tasks, wanted.methods, wanted.seeds, wanted.tune, FOLDER)
    write_json(RESULT, result(FOLDER))


def fill(tasks: Any, methods: str, num_seeds: int, num_trials: int, folder: Path) -> None:
    """Tunes and fits what is missing, and says how long each took."""
    for task in tasks:
        asked = row(task)
        names = asked.methods if methods == "all" else [m for m in methods.split(",") if m in asked.methods]
        began = time.perf_counter()
        for method, best in tune_row(asked, names, num_trials=num_trials) if num_trials else ():
            began = told(f"{task} {method} tuned: {best['valid']}", began)
        for method, seed, one in fill_row(asked, names, range(num_seeds), folder):
            began = told(f"{task} {method} {seed}: {one.get('refused') or one['values'].get('nll')}", began)


def told(text: str, began: float) -> float:
    """Prints the text and the seconds since `began`; returns now."""
    now = time.perf_counter()
    print(f"{text} ({now - began:.1f} s)", flush=True)
    return now


def result(folder: Path) -> dict[str, Any]:
    """All cells of the folder as one table, a row a method and task."""
    rows, winners = [], []
    for path in sorted(folder.glob("*.jsonl")):
        found = complete(cells_in(path))
        summaries = {method: summary(cells) for method, cells in found.items()}
        best = best_method(summaries)
        winners.append({"task": path.stem, "chosen on validation": best})
        for method, cells in found.items():
            rows.append(table_row(path.stem, method, summaries[method], cells, found.get(PLAIN, [])))
    return {
        "benchmark": "question_uncertainty",
        "unit": "test data, means over seeds; ± is half the 95 % interval over seeds",
        "bar": "the method chosen on validation data is no worse than the plain network",
        "command": "python benchmarks/question_uncertainty.py",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
        "date": time.strftime("%Y-%m-%d"),
        "chosen": ", ".join(f"{one['task']}: {one['chosen on validation']}" for one in winners),
        "cells": rows,
    }


def table_row(
    task: str, method: str, row: dict[str, Any], cells: list[Cell], plain: list[Cell]
) -> dict[str, Any]:
    """What is shown of a method on a task."""
    shown: dict[str, Any] = {"task": task, "method": method, "seeds": row["seeds"]}
    for name in ("nll", "brier", "accuracy", "ece", "crps", "rmse", "coverage", "set_size", "width"):
        if name in row:
            shown[name] = with_half(row[name], row.get(f"{name}_interval"), row["seeds"])
    if method != PLAIN and "nll" in row:
        shown["gain in nll"] = paired_gain(cells, plain)
    shown["nll under stress"] = row.get("shifted", {}).get("nll")
    for name, scores in cells[0]["outside"].items():
        score = "max-probability" if "max-probability" in scores else next(iter(scores))
        values = [one["outside"][name][score]["auroc"] for one in cells if name in one["outside"]]
        shown["AUROC outside"] = f"{np.mean(values):.3f} ({name}, {score})"
        break
    shown["parameters"] = row["parameters"]
    shown["fit, s"] = row["fit_seconds"]
    shown["1000 answers, s"] = row["seconds_per_1000"]
    return shown


def with_half(value: float, interval: list[float] | None, num_seeds: int) -> str:
    """The mean and, of two seeds or more, how far its interval reaches above it."""
    if interval is None or num_seeds < 2:
        return f"{value:.4g}"
    # the lower end may be cut off at 0
    return f"{value:.4g} ± {interval[1] - value:.2g}"


def paired_gain(cells: list[Cell], plain: list[Cell]) -> str | None:
    """How much lower nll is than that of the plain network of the same seed."""
    theirs = {one["seed"]: one["values"]["nll"] for one in plain}
    gains = [theirs[one["seed"]] - one["values"]["nll"] for one in cells if one["seed"] in theirs]
    if len(gains) < 2:
        return f"{gains[0]:.3g}" if gains else None
    found = t_interval(gains)
    return f"{np.mean(gains):.3g} ({found.low:.3g} to {found.high:.3g})"


if __name__ == "__main__":
    main()
