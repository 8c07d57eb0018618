"""Ending trainings early that look hopeless, by Optuna's pruners over the scores on the way."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pomona.find.search.problem import Problem
from pomona.find.search.training import Watch
from pomona.find.search.yardstick import comparable_values
from pomona.fit.evaluate import Evaluation
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.run import Run

PARTS = 8
"""Scores on the way are kept by eighths of a training, so that trainings of any length compare."""

FIRST_TRIALS = 5
"""Trials that must be completed before any is ended early."""

REASON = "ended early"


def watch_of(trial: Trial, problem: Problem, store: TrialStore, run: Run) -> Watch | None:
    """What looks after a training: it reports each evaluation and asks the pruner whether to go on.

    None for the pruner "none". The answer hangs on which trials were done by then, so it is a logged
    decision; a training that is repeated in the same run ends where it ended.
    """
    name = problem.settings.pruner
    if name == "none":
        return None
    ask = pruner_of(name, store.all(), trial)
    key = f"trial {trial.genome_hash} with seed {trial.seed}"

    def watch(share: float, found: Evaluation) -> str:
        score = problem.yardstick.score(comparable_values(problem.task, found.values))
        part = max(1, math.floor(PARTS * share + 1e-9))
        if not math.isfinite(score):
            return ""
        store.report(trial.number, part, score)
        if part >= PARTS:
            return ""
        is_hopeless = run.decide("prune", f"{key} after {part}/{PARTS}", lambda: ask(part, score))
        return f"{REASON} after {part}/{PARTS} by the {name} pruner" if is_hopeless else ""

    return watch


def is_pruned(stopped: str) -> bool:
    """Whether a pruner ended the fit that says so of itself."""
    return stopped.startswith(REASON)


def was_stopped_early(trial: Trial) -> bool:
    """Whether a pruner ended the trial; others are pruned for a limit before they are trained."""
    return trial.state == "pruned" and is_pruned(trial.attributes.get("reason", ""))


def saved_share(trial: Trial) -> float:
    """The share of its training that a trial was spared; 0 unless a pruner ended it."""
    if not was_stopped_early(trial):
        return 0.0
    return 1.0 - max(trial.reports, default=PARTS) / PARTS


def pruner_of(name: str, trials: Sequence[Trial], trial: Trial) -> Callable[[int, float], bool]:
    """A function that is told the scores of `trial` on the way, by parts, and answers whether to end it.

    The pruner sees the trials as they were when this was called.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = make_pruner(name)
    study = optuna.create_study(direction="maximize", pruner=pruner, study_name="pruning")
    for other in trials:
        _add(study, other, {} if other.number == trial.number else other.reports, pruner)

    def ask(part: int, score: float) -> bool:
        return _told(study, trial.number, part, score, pruner)

    for part, score in sorted(trial.reports.items()):
        # a training that goes on after its trainer died does not report again what it had
        ask(part, score)
    return ask


def make_pruner(name: str) -> Any:
    """One of Optuna's pruners, set for trainings that report by parts."""
    from optuna.pruners import HyperbandPruner, MedianPruner, SuccessiveHalvingPruner

    if name == "median":
        return MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=2, n_min_trials=3)
    if name == "halving":
        return SuccessiveHalvingPruner(min_resource=2, reduction_factor=2, bootstrap_count=FIRST_TRIALS)
    return HyperbandPruner(min_resource=1, max_resource=PARTS, reduction_factor=2)


def _add(study: Any, trial: Trial, reports: Mapping[int, float], pruner: Any) -> None:
    """Adds a trial of the store to Optuna's study under the same number, and tells its scores."""
    from optuna.trial import TrialState, create_trial

    study.add_trial(create_trial(state=TrialState.RUNNING))
    for part, score in sorted(reports.items()):
        # halving keeps with each trial what it had at its rungs: asking is what writes that down
        _told(study, trial.number, part, score, pruner)
    ends = {"completed": TrialState.COMPLETE, "failed": TrialState.FAIL, "pruned": TrialState.PRUNED}
    if trial.state in ends:
        values = [trial.score] if trial.state == "completed" else None
        identity = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, trial.number)
        study._storage.set_trial_state_values(identity, ends[trial.state], values)


def _told(study: Any, number: int, part: int, score: float, pruner: Any) -> bool:
    storage = study._storage
    identity = storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    storage.set_trial_intermediate_value(identity, part, score)
    return bool(pruner.prune(study, storage.get_trial(identity)))
