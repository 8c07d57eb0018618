"""The search itself: make a model from one of the best, train it, keep it, until the trials are spent."""

from pomona.find.search.attempt import attempt
from pomona.find.search.problem import Problem
from pomona.find.search.proposals import propose
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.run import Run

MAX_REFUSED = 60
"""Models in a row over a limit after which a search ends."""

FINALS_SHARE = 0.35
"""Of the time, where it is limited: kept for the finalists and the report."""


def explore(problem: Problem, store: TrialStore, run: Run) -> None:
    """Trains models until `settings.trials` are completed or failed, or the time for it is over.

    On a store that an earlier process left it goes on: no finished trial is lost and none is repeated. Raises
    Interrupted with everything saved.
    """
    store.reap(alone=True)
    wanted = problem.settings.trials
    with run.progress("search", wanted, "trials") as progress:
        progress.advance(num_tried(store.all()))
        while num_tried(store.all()) < wanted and not _is_time_over(store, run):
            trial = store.claim_waiting() or propose(problem, store, run)
            if trial is None or _num_refused(store.all()) >= MAX_REFUSED:
                run.console.line("no new model within the limits comes up any more: the search ends here")
                break
            ended = attempt(trial, problem, store, run)
            if ended.state != "pruned":
                progress.advance(note=_note(store, problem))
            # the seconds spent so far are kept with it
            run.save("search", {"trials": num_tried(store.all())})
            run.check_interrupt()


def num_tried(trials: tuple[Trial, ...]) -> int:
    """How many trials count towards the number wanted: completed and failed ones."""
    return sum(trial.state in ("completed", "failed") for trial in trials)


def _num_refused(trials: tuple[Trial, ...]) -> int:
    """How many trials over a limit there were since the last one that was trained."""
    states = [trial.state for trial in trials if trial.state != "running"]
    return next((n for n, state in enumerate(reversed(states)) if state != "pruned"), len(states))


def _is_time_over(store: TrialStore, run: Run) -> bool:
    seconds = run.clock.seconds
    if seconds is None or not store.top_k(1):
        return False
    spent = run.clock.spent()
    key = f"after {num_tried(store.all())} trials"
    return run.decide("search ends", key, lambda: spent >= (1.0 - FINALS_SHARE) * seconds)


def _note(store: TrialStore, problem: Problem) -> str:
    best = store.top_k(1)
    metric = problem.yardstick.metric
    return f"best {metric} {best[0].values[metric]:.4g} ({best[0].number})" if best else ""
