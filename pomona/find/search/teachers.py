"""Teachers: trained models of a search, from whose predictions on the training examples others learn."""

import hashlib
import json
import math
from collections.abc import Sequence

from safetensors.numpy import load_file, save

from pomona.find.search.genome import Genome
from pomona.find.search.leaders import first_training, is_reevaluation, ranking
from pomona.find.search.models import Model, mean_prediction, model_of
from pomona.find.search.problem import Problem
from pomona.find.search.techniques import DISTILLATION, TEACHER
from pomona.fit.distillation import Lessons, can_be_taught, taught_by
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.files import read_json, to_json, write_bytes
from pomona.foundation.run import Run
from pomona.tasks.task import Task

NUM_JOINED = 5
"""Best models whose mean is the teacher called "ensemble"."""

LESSON_BYTES = 2**30
"""Where a teacher would say more than that of all training examples together, there is none."""

CHOSEN = "teachers.json"


def teachers_of(trial: Trial, problem: Problem, store: TrialStore) -> tuple[int, ...]:
    """The numbers of the trials that teach one; none where its technique wants none or none is trained yet.

    They are chosen when the trial is first asked about and kept with it: a trial that goes on elsewhere has
    the same teachers, and so has one that trains a known model again.
    """
    technique = trial.genome["training"]
    if not technique.get(DISTILLATION) or not _has_room(problem.task):
        return ()
    if is_reevaluation(trial):
        return recorded_teachers(first_training(trial, store))
    path = store.path(trial.number, CHOSEN)
    if not path.exists():
        count = 1 if technique[TEACHER] == "best" else NUM_JOINED
        chosen = [known.number for known in ranking(store.all())[:count]]
        store.add_artifact(trial.number, CHOSEN, to_json(chosen).encode())
    return tuple(read_json(path))


def recorded_teachers(trial: Trial) -> tuple[int, ...]:
    """The numbers of the trials that taught a completed one."""
    return tuple(trial.attributes.get("taught_by", ()))


def lessons_of(
    teachers: Sequence[int], genome: Genome, problem: Problem, store: TrialStore, run: Run
) -> Lessons | None:
    """What some trials of a search teach a genome, as much as its technique says; None without teachers."""
    if not teachers:
        return None
    trials = store.all()
    models = [model_of(trials[number], store, f"trial-{number}") for number in teachers]
    technique = genome.training
    return said_by(
        models,
        [1 / len(models)] * len(models),
        problem,
        run,
        share=technique[DISTILLATION],
        temperature=technique["temperature"],
    )


def said_by(
    models: Sequence[Model],
    weights: Sequence[float],
    problem: Problem,
    run: Run,
    *,
    share: float,
    temperature: float,
) -> Lessons:
    """What the mean of some models says of the training examples.

    It is computed once and kept in the run's folder, in a file that is named by what it follows from.
    """
    path = run.path("teachers", f"{_content(models, weights, problem.task)}.safetensors")
    if not path.exists():
        predict = mean_prediction(models, weights, problem)
        write_bytes(path, save(taught_by(predict, problem.task)))
    return Lessons(load_file(path), share=share, temperature=temperature)


def _has_room(task: Task) -> bool:
    size = task.splits["train"].size
    if size is None or not can_be_taught(task):
        return False
    numbers = [math.prod(target.shape) * max(1, len(target.classes)) for target in task.targets.values()]
    return 4 * size * sum(numbers) <= LESSON_BYTES


def _content(models: Sequence[Model], weights: Sequence[float], task: Task) -> str:
    """Equal for teachers that say the same of the same examples."""
    hashed = hashlib.blake2b(task.fingerprint.encode(), digest_size=16)
    for model, weight in zip(models, weights, strict=True):
        hashed.update(f"{weight} {json.dumps(model.genome.spec.to_json(), sort_keys=True)}".encode())
        hashed.update(hashlib.blake2b(model.weights_file.read_bytes(), digest_size=16).digest())
    return hashed.hexdigest()
