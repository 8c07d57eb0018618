"""Training the models of a search again from what was recorded, to the last bit.

A trial records its genome, its seed, the parent whose weights it began with and its teachers; decisions that
hung on a clock are in the logs of whoever trained it. So any model can be made again by itself, however many
trainers there were and in whatever order they came.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save

from pomona.find.search.attempt import heritage_of
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import is_reevaluation
from pomona.find.search.models import WEIGHTS
from pomona.find.search.problem import Problem
from pomona.find.search.teachers import lessons_of, recorded_teachers
from pomona.find.search.trainers.assignment import problem_of, published
from pomona.find.search.trainers.place import Place, place_of
from pomona.find.search.trainers.work import decision_logs
from pomona.find.search.training import fit_name, train, valid_values
from pomona.fit.result import FitResult
from pomona.fit.threads import use_threads
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.console import Console
from pomona.foundation.decisions import Decisions
from pomona.foundation.errors import RunError, SettingError, unknown_name
from pomona.foundation.files import read_json
from pomona.foundation.run import Clock, Run


@dataclass(frozen=True)
class Replayed:
    """A model that was trained again."""

    model: str
    """trial-N, or trial-N-seed-S for a finalist's training with a fresh seed."""
    is_same: bool
    """Whether its weights are the same to the last bit."""
    score: float
    score_before: float


def replay_command(folder: Path, *, models: Sequence[str] = (), quiet: bool = False) -> dict[str, Any]:
    """Trains models of a search again, in a temporary folder, and compares them with those it kept.

    `models` are numbers of trials, or names as in the search's result; without any, all that its result is
    made of. Raises RunError when the folder holds no search whose data are known, or they have changed.
    """
    if not (folder / "trials").is_dir():
        raise SettingError(f"{folder} is not the folder of a search")
    place = place_of(folder)
    with place.stores() as stores:
        note = published(stores[0])
        problem = problem_of(note, place)
        replayed = []
        for name in models or _members(folder):
            trial, store = _named(name, stores)
            Console(quiet=quiet).line(f"training {_name(trial)} again")
            replayed.append(_replayed(trial, store, stores[0], problem, place, note))
    return {
        "search": str(folder),
        "is_same": all(one.is_same for one in replayed),
        "models": [asdict(one) for one in replayed],
    }


def _members(folder: Path) -> list[str]:
    path = folder / "result.json"
    if not path.exists():
        raise RunError(f"{folder} is not finished: say with --trial which model to train again")
    result = read_json(path)
    return list(dict.fromkeys([f"trial-{result['best']['trial']}", *result["ensemble"]["members"]]))


def _named(name: str, stores: tuple[TrialStore, TrialStore]) -> tuple[Trial, TrialStore]:
    """The completed trial of that name and the store that holds it."""
    known = {_name(t): (t, store) for store in stores for t in store.all() if t.state == "completed"}
    wanted = f"trial-{name}" if name[:1].isdigit() else name
    if wanted not in known:
        raise unknown_name("trained model", name, known)
    return known[wanted]


def _name(trial: Trial) -> str:
    contender = trial.attributes.get("contender")
    return f"trial-{trial.number}" if contender is None else f"trial-{contender}-seed-{trial.seed}"


def _replayed(
    trial: Trial,
    store: TrialStore,
    searched: TrialStore,
    problem: Problem,
    place: Place,
    note: dict[str, Any],
) -> Replayed:
    with tempfile.TemporaryDirectory(prefix="pomona-replay-") as folder:
        run = _run(trial, place, note, Path(folder))
        use_threads(run.threads)
        result = _trained_again(trial, searched, problem, run)
    score = problem.yardstick.score(valid_values(result, problem))
    is_same = save(result.state) == store.path(trial.number, WEIGHTS).read_bytes()
    return Replayed(_name(trial), is_same, score, trial.score or 0.0)


def _trained_again(trial: Trial, searched: TrialStore, problem: Problem, run: Run) -> FitResult:
    genome = Genome.from_json(trial.genome)
    lessons = lessons_of(recorded_teachers(trial), genome, problem, searched, run)
    heritage = heritage_of(trial, genome, problem, searched, run)
    factor = problem.settings.finalist_steps if is_reevaluation(trial) else None
    name = fit_name(trial)
    return train(genome, problem, run, name=name, factor=factor, heritage=heritage, lessons=lessons)


def _run(trial: Trial, place: Place, note: dict[str, Any], folder: Path) -> Run:
    """A run in which everything that was decided when the trial was trained is decided already."""
    told = place.folder / "trainers" / f"{trial.trainer}.json"
    trainer = read_json(told) if told.exists() else note
    logs = decision_logs(place)
    own = [path for path in logs if path.name.startswith(f"{trial.trainer}.")]
    decisions = Decisions(folder / "decisions.jsonl", known=[*own, *logs])
    # without it a fit that once ended for lack of time would not be asked where it ended
    is_late = ("last step of a fit", fit_name(trial)) in decisions
    clock = Clock(1e-9, spent_before=1.0) if is_late else Clock()
    return Run(
        folder, note["seed"], trainer["device"], trainer["threads"], Console(quiet=True), decisions, clock
    )
