"""Model search on real data against random search and regularised evolution in the same space.

    python benchmarks/search_real.py [--tasks cifar10 spoken-digits] [--strategies search random evolve neps]
        [--seeds 5] [--trials 30] [--steps 200] [--cells runs/search-real] [--peer PYTHON]

Every search is a cell of its own, kept in the folder of cells: the same command goes on where it was stopped,
a cell in the midst of its search. All strategies start with the same two networks, see the same splits, one
a seed, and are given as many trials. Rivals train every model from nothing, as published. `neps` is NePS in
its own environment (benchmarks/peers/neps.txt), whose interpreter is PYTHON. Told are the trials and the
seconds of training after which each has reached the score that random search ends with, the best validation
score after as many seconds as the quickest strategy needed, the test score of the best model with the weights
it had in the search, and the mean test score of the winner's trainings with fresh seeds, which are about as
long as one trial and start from what it inherited. What was found for other tasks stays in the result.

`--tasks small-speech` searches for a network for spoken digits with fewer than 200,000 parameters, and trains
a hand-made one of mel filters and convolutions with some 315,000. Prints one JSON line and writes
benchmarks/results/search_real.json.
"""

import argparse
import contextlib
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from search_real_handmade import handmade_scores
from search_real_neps import neps_search
from search_real_summary import small_rows, strategy_rows

from pomona.find.search import SearchSettings
from pomona.find.search.budgets import shrink_to_fit
from pomona.find.search.explore import explore
from pomona.find.search.finalists import run_finals
from pomona.find.search.models import assess_model, model_of
from pomona.find.search.problem import make_problem
from pomona.fit.baselines import baseline
from pomona.fit.trials import OptunaStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import Run, open_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task
from pomona.tasks.source import SubsetSource
from pomona.tasks.task import Task

RESULT = Path(__file__).parent / "results" / "search_real.json"

SIZES = {"train": 3000, "valid": 1000, "test": 2000}
"""Photographs of the subset of CIFAR-10."""

QUICK = SearchSettings(max_params=100_000, growth=0.3, finalists=2, finalist_seeds=2, ensemble_size=1)
"""Models small enough for a few seconds of training each on one core."""

SMALL = SearchSettings(
    trials=12, max_params=199_999, growth=0.8, reevaluations=0.0, finalists=2, finalist_seeds=2,
    finalist_steps=2.5, ensemble_size=1,
)  # fmt: skip
"""The search for a network for spoken digits that is smaller than the hand-made one; its finalists are
trained as long as that one at the longest."""

STRATEGIES: dict[str, dict[str, Any]] = {
    "search": {},
    "random": {"strategy": "random", "inherit": False, "reevaluations": 0.0, "starts": 2},
    "evolve": {"strategy": "evolve", "inherit": False, "reevaluations": 0.0, "starts": 2},
}
"""What differs from the settings of the search itself."""


def main() -> None:
    """Runs the cells that are not done, and writes the result of all."""
    parser = argparse.ArgumentParser(description="Model search on real data against its rivals")
    parser.add_argument("--tasks", nargs="+", default=["cifar10", "spoken-digits", "small-speech"])
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--steps", type=int, default=200, help="twice as many for small-speech")
    parser.add_argument("--cells", type=Path, default=Path("runs/search-real"))
    parser.add_argument("--peer", default="python")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    for name in wanted.tasks:
        strategies = ["small", "handmade"] if name == "small-speech" else wanted.strategies
        cells = {
            strategy: [cell(name, strategy, seed, wanted) for seed in range(wanted.seeds)]
            for strategy in [*strategies, "baseline"]
        }
        rows = small_rows(cells) if name == "small-speech" else strategy_rows(cells)
        size = {"seeds": wanted.seeds, "trials": wanted.trials, "steps": wanted.steps}
        record(name, [{"task": name, **row, **size} for row in rows])
    print(to_json(read_json(RESULT)))


def cell(name: str, strategy: str, seed: int, wanted: argparse.Namespace) -> dict[str, Any]:
    """The record of one search, from its file when it is done."""
    path = wanted.cells / f"{name}-{strategy}-{wanted.trials}-{wanted.steps}-{seed}.json"
    if path.exists():
        return read_json(path)
    task = task_of(name, seed)
    identity = {"cell": path.stem}
    with open_run(
        path.with_suffix(""), verb="search", subject=name, identity=identity, seed=seed, threads=1
    ) as run:
        quick = replace(QUICK, trials=wanted.trials, steps=wanted.steps)
        small = replace(SMALL, trials=min(SMALL.trials, wanted.trials), steps=2 * wanted.steps)
        if strategy == "baseline":
            found = cheap(task, run)
        elif strategy == "neps":
            found = neps_search(task, quick, run, wanted.peer)
        elif strategy == "handmade":
            found = handmade_scores(task, small, run)
        elif strategy == "small":
            found = searched(task, small, run)
        else:
            found = searched(task, replace(quick, **STRATEGIES[strategy]), run)
    write_json(path, {"task": name, "strategy": strategy, "seed": seed, **found})
    return read_json(path)


def searched(task: Task, settings: SearchSettings, run: Run) -> dict[str, Any]:
    """The trials of a search in order, and the test score of its winner over fresh trainings."""
    problem = make_problem(task, settings, BLOCKS)
    problem = replace(problem, usual=shrink_to_fit(problem.usual, problem, run))
    metric = problem.yardstick.metric
    with contextlib.ExitStack() as stack:
        store = OptunaStore(run.folder / "trials")
        stack.callback(store.close)
        finals = OptunaStore(run.folder / "finalists", url=store.url, study="finalists")
        stack.callback(finals.close)
        explore(problem, store, run)
        winner = run_finals(problem, store, finals, run)[0]
        models = [model_of(repeat, finals, f"seed {repeat.seed}") for repeat in winner.repeats]
        tested = [assess_model(model, problem, "test", seed=run.seed).values[metric] for model in models]
        best = best_found(store, metric)
        as_found = assess_model(model_of(best, store, "as found"), problem, "test", seed=run.seed)
        trials = [told(trial, metric) for trial in store.all()]
    return {
        "test": float(np.mean(tested)),
        "test_of_seeds": tested,
        "test_as_found": as_found.values[metric],
        "parameters": winner.trial.attributes["parameters"],
        "trials": [trial for trial in trials if trial["state"] != "pruned"],
    }


def best_found(store: OptunaStore, metric: str) -> Trial:
    """The trial with the best validation score, trainings again of known models aside."""
    completed = [trial for trial in store.all() if trial.state == "completed" and trial.seed == 0]
    return max(completed, key=lambda trial: trial.values[metric])


def cheap(task: Task, run: Run) -> dict[str, Any]:
    """What the strongest cheap method scores on test."""
    found = baseline(task, seed=run.seed)
    return {"name": found.name, "test": found.test[task.metrics[0]]}


def told(trial: Trial, metric: str) -> dict[str, Any]:
    """What the comparison needs of a trial."""
    return {
        "state": trial.state,
        "seed": trial.seed,
        "valid": trial.values.get(metric),
        "seconds": trial.attributes.get("seconds", trial.seconds or 0.0),
        "steps": trial.attributes.get("steps", 0),
    }


def task_of(name: str, seed: int) -> Task:
    """The task, its splits turned by the seed; of CIFAR-10 a subset."""
    if name != "cifar10":
        return load_task("spoken-digits", seed=seed)
    task = load_task("cifar10", seed=seed)
    splits = dict(task.splits)
    for split, size in SIZES.items():
        source = splits[split]
        assert source.size is not None
        generator = torch.Generator().manual_seed(seed)
        ids = torch.randperm(source.size, generator=generator)[:size].numpy()
        splits[split] = SubsetSource(source, ids)
    return replace(task, splits=splits)


def record(name: str, rows: list[dict[str, Any]]) -> None:
    """Writes the result of a task, beside what an earlier one says of other tasks."""
    earlier = read_json(RESULT)["rows"] if RESULT.exists() else []
    result = {
        "benchmark": "search_real",
        "unit": "accuracy, with intervals over seeds; shares of what random search used, medians over seeds",
        "bar": "random search's final score in at most half of its trials; a network for spoken digits under "
        "200,000 parameters better than a hand-made one of 315,000",
        "command": "python benchmarks/search_real.py --tasks TASK, with the seeds, trials and steps of a row",
        "rows": [row for row in earlier if row["task"] != name] + rows,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores shared with other work, 1 thread",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, result)


if __name__ == "__main__":
    main()
