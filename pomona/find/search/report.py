"""The report of a search: what it found, how it went, and what the chosen model gets right and wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomona.find.search.exploit import Joined
from pomona.find.search.finalists import Finalist
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import is_reevaluation, once_each, standings
from pomona.find.search.pareto import Unbeaten
from pomona.find.search.problem import Problem
from pomona.find.search.result import Best, Choice
from pomona.find.search.sections import (
    finalists_section,
    leaderboard_section,
    leaders_section,
    lineage_section,
    pareto_section,
    progress_section,
    pruning_section,
    tradeoff_section,
)
from pomona.find.search.student import Student
from pomona.find.search.yardstick import comparable_values
from pomona.fit.assessment import Assessment
from pomona.fit.baselines import Baseline
from pomona.fit.sections import network_section, scores_section, write_model_sections
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import text, write_report, write_section


@dataclass(frozen=True)
class Findings:
    """Everything that the report of a search is made of."""

    problem: Problem
    trials: Sequence[Trial]
    finalists: Sequence[Finalist]
    best: Best
    choice: Choice
    baseline: Baseline
    test: Assessment
    joined: Joined
    latencies: Mapping[int, float]
    """Of some of the trials, by number: milliseconds of the exported network for one example."""
    unbeaten: Sequence[Unbeaten] = ()
    """With several objectives: the models that no other beats in all of them."""
    student: Student | None = None


def write_search_report(folder: Path, found: Findings) -> Path:
    """Writes the sections and report.html into `folder`; returns the page's path."""
    task, yardstick, trials = found.problem.task, found.problem.yardstick, found.trials
    cheap = found.baseline
    baseline = (cheap.name, comparable_values(task, cheap.valid).get(yardstick.metric))
    spec = Genome.from_json(found.finalists[0].trial.genome).spec
    models = [trial for trial in trials if not is_reevaluation(trial)]
    repeats = [repeat for finalist in found.finalists for repeat in finalist.repeats]
    standing = standings(once_each([*trials, *repeats]), yardstick)
    sections = [
        ("scores", f"{task.name}: what was found", _scores(found)),
        ("finalists", "Finalists", finalists_section(found.finalists, yardstick)),
        ("pareto", "Models that no other beats", pareto_section(found.unbeaten, yardstick)),
        ("leaders", "Leaders, and how sure", leaders_section(standing, yardstick)),
        (
            "leaderboard",
            "Leaderboard",
            leaderboard_section(
                models, yardstick, winner=found.best.trial, baseline=baseline, latencies=found.latencies
            ),
        ),
        ("progress", "Score against trials", progress_section(trials, yardstick)),
        ("lineage", "Lineage", lineage_section(models, yardstick)),
        ("tradeoff", "Size and speed", tradeoff_section(models, yardstick, found.latencies)),
        ("pruning", "Trainings that ended early", pruning_section(trials, found.problem.settings.pruner)),
        ("network", "The best network", network_section(spec, found.problem.palette.blocks)),
    ]
    told = [section for section in sections if section[2]]
    for position, (name, title, items) in enumerate(told):
        write_section(folder, 10 + 3 * position, name, title, items)
    write_model_sections(folder, found.test, found.joined.calibration.temperature)
    return write_report(folder)


def _scores(found: Findings) -> list[dict[str, Any]]:
    task, metric = found.problem.task, found.problem.yardstick.metric
    best, choice, cheap = found.best, found.choice, found.baseline
    seeds = len(best.test_of_seeds)
    chosen = f"ensemble of {len(choice.members)}" if len(choice.members) > 1 else ", ".join(choice.members)
    models = [
        (f"{chosen} (the artifact)", choice.valid, choice.test),
        (f"best network, mean of {seeds} trainings", best.valid, best.test),
        (
            f"baseline: {cheap.name}",
            comparable_values(task, cheap.valid),
            comparable_values(task, cheap.test),
        ),
    ]
    if found.student is not None:
        student = found.student
        name = f"student of {len(student.teachers)} networks, {student.parameters} parameters (student/)"
        models.insert(1, (name, student.valid, student.test))
    items = scores_section(
        models,
        metric=metric,
        interval=found.test.interval(metric),
        examples={split: source.size for split, source in task.splits.items()},
        facts={
            "parameters of the best network": (best.parameters, ""),
            "its latency, exported": (best.latency_ms, "ms"),
        },
    )
    return [*items, text(_verdict(found))]


def _verdict(found: Findings) -> str:
    """Whether the search was worth it, by the numbers on test."""
    yardstick, cheap = found.problem.yardstick, found.baseline
    ours = found.choice.test.get(yardstick.metric, float("nan"))
    theirs = comparable_values(found.problem.task, cheap.test).get(yardstick.metric, float("nan"))
    if yardstick.is_better(theirs, ours):
        return f"The cheap baseline, {cheap.name}, wins on test data: it may be all that this problem needs."
    if ours == theirs:
        return f"The cheap baseline, {cheap.name}, does as well on test data."
    return f"The model found is better on test data than the cheap baseline, {cheap.name}."
