"""What each part of model search is worth: the search with weight sharing, deduplication, the surrogate and
teaching, and without each of them.

    python benchmarks/search_ablations.py [--seeds 3] [--trials 16] [--steps 160] [--tasks digits …]

All searches of a task and seed see the same splits and begin with the same models; none trains a model again.
Steps count batches of 64 examples. How far a search is, is the best validation score among its trials so far;
the score to reach is, for each task and seed, the lowest that any of the searches ends with, so that all of
them reach it. From the whole search follows the student too: the best network taught by the ensemble of all
trials, against the same network trained as long without a teacher. Every search is a cell that is kept in a
folder, `--cells`: the same command goes on where it was. Prints one JSON line and writes
benchmarks/results/search_ablations.json.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pomona.find.search.exploit import assess_joined, join
from pomona.find.search.explore import explore
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import ranking
from pomona.find.search.models import model_of
from pomona.find.search.problem import USUAL_BATCH, Problem, make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.student import PATIENCE, SHARE, TEMPERATURE
from pomona.find.search.teachers import said_by
from pomona.find.search.techniques import fit_part
from pomona.find.search.training import train
from pomona.fit.evaluate import evaluate
from pomona.fit.trials import OptunaStore
from pomona.fit.trials.store import TrialStore
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import Run, open_run
from pomona.foundation.statistics import t_interval
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.tasks import load_task

RESULT = Path(__file__).parent / "results" / "search_ablations.json"

TASKS = ("digits", "digit-properties")

VARIANTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "without weight sharing": {"inherit": False},
    "without deduplication": {"deduplicate": False},
    "without surrogate": {"surrogate": False},
    "without teaching": {"teach": False},
}


def main() -> None:
    """Runs all cells that are not there yet and writes the result."""
    parser = argparse.ArgumentParser(description="What each part of model search is worth.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), help="names of tasks")
    parser.add_argument("--cells", type=Path, default=Path(tempfile.gettempdir()) / "pomona-ablations")
    wanted = parser.parse_args()
    settings = SearchSettings(trials=wanted.trials, steps=wanted.steps, reevaluations=0.0)
    cells: dict[str, list[dict[str, dict[str, Any]]]] = {task: [] for task in wanted.tasks}
    for seed in range(wanted.seeds):
        for task in wanted.tasks:
            found = {name: cell(task, name, settings, seed, wanted.cells) for name in VARIANTS}
            cells[task].append(found)
    result = {
        "benchmark": "search_ablations",
        "unit": "trials, and steps of 64 examples, to the score that all searches of a seed reach",
        "bar": "none is set: what each part is worth is to be known",
        "command": f"python benchmarks/search_ablations.py --seeds {wanted.seeds} "
        f"--trials {wanted.trials} --steps {wanted.steps} --tasks {' '.join(wanted.tasks)}",
        "searches": [row for task, seeds in cells.items() for row in searches(task, seeds)],
        "students": [row for task, seeds in cells.items() for row in students(task, seeds)],
        "trials": wanted.trials,
        "steps": wanted.steps,
        "seeds": wanted.seeds,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, result)
    print(to_json(result))


def cell(task: str, variant: str, settings: SearchSettings, seed: int, folder: Path) -> dict[str, Any]:
    """One search, or what is kept of it: score and steps of each trial, and the student of the whole one."""
    path = folder / f"{task}-{variant.replace(' ', '-')}-{settings.trials}-{settings.steps}-{seed}.json"
    if path.exists():
        return read_json(path)
    problem = make_problem(load_task(task, seed=seed), replace(settings, **VARIANTS[variant]), BLOCKS)
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_run(Path(scratch) / "run", verb="search", subject=task, identity={}, seed=seed) as run,
    ):
        store = OptunaStore(run.folder / "trials")
        explore(problem, store, run)
        trials = [measured(trial) for trial in store.all() if trial.state == "completed"]
        found: dict[str, Any] = {"trials": trials}
        if variant == "whole":
            found["student"] = student(problem, store, run)
        store.close()
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return found


def measured(trial: Any) -> dict[str, float]:
    """The score of a trial and the steps of 64 examples that it took."""
    steps = trial.attributes["steps"] * trial.genome["training"]["batch_size"] / USUAL_BATCH
    return {"score": trial.score, "steps": steps, "inherited": trial.attributes["inherited"]}


def student(problem: Problem, store: TrialStore, run: Run) -> dict[str, float]:
    """Test scores of the ensemble of all trials, of the best network, and of that network trained for longer
    from nothing, with the ensemble as its teacher and without.
    """
    best, metric = ranking(store.all())[0], problem.yardstick.metric
    library = [
        model_of(trial, store, f"trial-{trial.number}") for trial in store.top_k(problem.settings.trials)
    ]
    teacher = join(library, problem, run)
    found = Genome.from_json(best.genome)
    genome = replace(found, training={**fit_part(found.training), "mixup": 0.0})
    lessons = said_by(teacher.models, teacher.weights, problem, run, share=SHARE, temperature=TEMPERATURE)
    factor = PATIENCE * problem.settings.finalist_steps
    alone = join([model_of(best, store, "best")], problem, run)
    scores = {
        "ensemble": assess_joined(teacher, problem, "test", seed=run.seed).values[metric],
        "best trial": assess_joined(alone, problem, "test", seed=run.seed).values[metric],
    }
    for name, said in (("student", lessons), ("the same without a teacher", None)):
        result = train(genome, problem, run, name=name, factor=factor, lessons=said)
        network = build(genome.spec, 0)
        network.load_state_dict(result.state)
        scores[name] = evaluate(network, problem.task, "test")[metric]
    return scores


def searches(task: str, seeds: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """For each search the means over seeds of what it took to the common score, with t intervals of the steps
    as a multiple of those of the whole search.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for found in seeds:
        goal = min(max(trial["score"] for trial in one["trials"]) for one in found.values())
        for name, one in found.items():
            taken[name].append(to_score(one["trials"], goal))
    rows = []
    for name, pairs in taken.items():
        ratios = [steps / whole for (_, steps), (_, whole) in zip(pairs, taken["whole"], strict=True)]
        trials = [one[name]["trials"] for one in seeds]
        rows.append(
            {
                "task": task,
                "search": name,
                "trials to score": mean([number for number, _ in pairs]),
                "steps to score": mean([steps for _, steps in pairs]),
                "against the whole": mean(ratios),
                **interval(ratios),
                "steps a trial": mean([mean([trial["steps"] for trial in one]) for one in trials]),
                "best score": mean([max(trial["score"] for trial in one) for one in trials]),
            }
        )
    return rows


def students(task: str, seeds: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The test score of the student and of what it is compared with, over seeds."""
    found = [one["whole"]["student"] for one in seeds]
    scores = {name: [one[name] for one in found] for name in found[0]}
    return [
        {"task": task, "model": name, "test": mean(of_seeds), **interval(of_seeds)}
        for name, of_seeds in scores.items()
    ]


def to_score(trials: Sequence[dict[str, float]], goal: float) -> tuple[float, float]:
    """The trials and steps that a search took until it had a trial of this score."""
    first = next(place for place, trial in enumerate(trials) if trial["score"] >= goal)
    return first + 1, sum(trial["steps"] for trial in trials[: first + 1])


def mean(values: Sequence[float]) -> float:
    """The mean as a plain number."""
    return float(np.mean(values))


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """The ends of the 95 % t interval; None for a single seed."""
    if len(values) < 2:
        return {"low": None, "high": None}
    found = t_interval(np.asarray(values, np.float64))
    return {"low": found.low, "high": found.high}


if __name__ == "__main__":
    main()
