"""One small network that says what an ensemble says: its student."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import save

from pomona.find.search.artifacts import save_joined
from pomona.find.search.budgets import known_latencies
from pomona.find.search.exploit import Joined, alone, assess_joined, join
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.leaders import ranking
from pomona.find.search.models import Model
from pomona.find.search.problem import Problem
from pomona.find.search.teachers import said_by
from pomona.find.search.techniques import fit_part
from pomona.find.search.training import train
from pomona.find.search.yardstick import comparable_values
from pomona.fit.distillation import DISTILLED_KINDS, can_be_taught
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import SettingError
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run
from pomona.networks.cost import parameters

FOLDER = "student"

NUM_CANDIDATES = 10
"""Best models of which the smallest can be the student."""

SHARE, TEMPERATURE = 0.7, 2.0
"""How far the teacher counts, and how much it tells of unlikely classes; see `Lessons`."""

PATIENCE = 2.0
"""Steps of the student as a multiple of a finalist's: who has a teacher goes on learning for longer."""


@dataclass(frozen=True)
class Student:
    """A trained student; `artifact` is relative to the run's folder."""

    trial: int
    """Number of the trial whose network it has."""
    teachers: tuple[str, ...]
    valid: dict[str, float]
    test: dict[str, float]
    parameters: int
    latency_ms: float | None
    """Of the exported network for one example; None where it cannot be exported."""
    artifact: str = FOLDER

    def summary(self, metric: str) -> dict[str, Any]:
        """The student as plain data; scores are the metric, all others are beside them."""
        return {
            "trial": self.trial,
            "teachers": list(self.teachers),
            "valid": self.valid.get(metric),
            "test": self.test.get(metric),
            "valid_metrics": dict(self.valid),
            "test_metrics": dict(self.test),
            "parameters": self.parameters,
            "latency_ms": self.latency_ms,
            "artifact": self.artifact,
        }


def check_student(problem: Problem) -> None:
    """Raises SettingError when a student is wanted for a task without distillation."""
    task = problem.task
    if problem.settings.student != "none" and not can_be_taught(task):
        raise SettingError(
            f"a student is for {', '.join(DISTILLED_KINDS)} and for training examples that end; "
            f"{task.name!r} is a {task.kind} task: leave student at none"
        )


def teach_student(
    problem: Problem,
    library: Sequence[Model],
    trials: Sequence[Trial],
    winner: Trial,
    run: Run,
    *,
    command: str,
    blocks: Path | None,
) -> Student | None:
    """The student of the best ensemble of a library, saved as an artifact of its own; None when the settings
    want none, no time is left, or its training broke off. The ensemble need not keep to the limits.

    It has the winner's network or that of the fewest parameters among the best trials, all of which keep to
    the limits, and is trained from nothing, calibrated and exported as every network is.
    """
    if problem.settings.student == "none":
        return None
    if run.decide("student", "time is over", lambda: run.stop_reason == "seconds"):
        run.console.line("no time is left for a student")
        return None
    teacher = join(library, problem, run)
    chosen = winner if problem.settings.student == "winner" else smallest(trials)
    model = _trained(problem, teacher, chosen, run)
    if model is None:
        run.console.line("the student's training broke off: there is none")
        return None
    pupil = alone(model, problem, run)
    held = {split: assess_joined(pupil, problem, split, seed=run.seed).values for split in ("valid", "test")}
    what = f"a network that was taught by an ensemble of {len(teacher.models)} networks found by search"
    folder = run.folder / FOLDER
    save_joined(folder, pupil, problem, run, what=what, scores=held, command=command, blocks=blocks)
    return Student(
        chosen.number,
        tuple(model.name for model in teacher.models),
        comparable_values(problem.task, held["valid"]),
        comparable_values(problem.task, held["test"]),
        parameters(model.genome.spec, blocks=problem.palette.blocks),
        known_latencies([chosen], problem, run).get(chosen.number),
    )


def smallest(trials: Sequence[Trial]) -> Trial:
    """The trial of the fewest parameters among the best of a search; the better one of equals."""
    best = ranking(trials)[:NUM_CANDIDATES]
    return min(best, key=lambda trial: trial.attributes["parameters"])


def _trained(problem: Problem, teacher: Joined, chosen: Trial, run: Run) -> Model | None:
    """The student's model; one that was trained before in this run is not trained again."""
    found = Genome.from_json(chosen.genome)
    genome = replace(found, training={**fit_part(found.training), "mixup": 0.0})
    key = genome_hash(genome, blocks=problem.palette.blocks)
    path = run.path("students", f"{key}.safetensors")
    if not path.exists():
        lessons = said_by(teacher.models, teacher.weights, problem, run, share=SHARE, temperature=TEMPERATURE)
        factor = PATIENCE * problem.settings.finalist_steps
        result = train(genome, problem, run, name=f"student-{key}", factor=factor, lessons=lessons)
        if result.failed:
            return None
        write_bytes(path, save(result.state))
    return Model("student", genome, path)
