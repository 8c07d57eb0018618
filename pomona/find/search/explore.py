"""The search itself: make a model from one of the best, train it, keep it, until the trials are spent."""

import time

from pomona.find.search.attempt import attempt
from pomona.find.search.problem import Problem
from pomona.find.search.proposals import propose
from pomona.find.search.pruning import was_stopped_early
from pomona.fit.trials.held import held
from pomona.fit.trials.store import TrialStore, others_are_at_it
from pomona.fit.trials.trial import UNFINISHED, Trial
from pomona.foundation.run import Run

MAX_REFUSED = 60
"""Models in a row over a limit after which a search ends."""

POLL_S = 0.3

FINALS_SHARE = 0.35
"""Of the time, where it is limited: kept for the finalists and the report."""


def explore(problem: Problem, store: TrialStore, run: Run, *, together: bool = False) -> None:
    """Trains models until `settings.trials` are completed or failed, or the time for it is over.

    On a store that an earlier process left it goes on: no finished trial is lost and none is repeated. With
    `together` others train on the same store: it ends when nothing is left for this one, and takes over what
    the dead were at. Raises Interrupted with everything saved.
    """
    store.reap(alone=not together)
    wanted, num_in_vain = problem.settings.trials, 0
    with run.progress("search", wanted, "trials") as progress:
        while num_tried(store.all()) < wanted and not is_time_over(store, run):
            progress.advance(num_tried(store.all()) - progress.done, note=note_of_best(store, problem))
            trial = _next(problem, store, run)
            num_in_vain = 0 if trial is not None else num_in_vain + 1
            if trial is not None:
                with held(trial, store, run):
                    attempt(trial, problem, store, run)
                # the seconds spent so far are kept with it
                run.save("search", {"trials": num_tried(store.all())})
            elif together and others_are_at_it(store):
                time.sleep(POLL_S)
                store.reap(alone=False)
                num_in_vain = 0
            # asked twice: a model that was promised to a dead trainer may be free since the first time
            elif (not together or num_in_vain > 1) and num_tried(store.all()) < wanted:
                run.console.line("no new model within the limits comes up any more: the search ends here")
                break
            run.check_interrupt()


def _next(problem: Problem, store: TrialStore, run: Run) -> Trial | None:
    """A trial for this trainer; None when all that are wanted have a trainer, or no new model comes up."""
    waiting = store.claim_waiting()
    if waiting is not None:
        return waiting
    trials = store.all()
    num_refused = sum(_is_refused(trial) for trial in trials)
    num_wanted = problem.settings.trials + num_refused
    if len(trials) >= num_wanted or _num_refused_last(trials) >= MAX_REFUSED:
        return None
    store.limit(num_wanted)
    return propose(problem, store, run)


def num_tried(trials: tuple[Trial, ...]) -> int:
    """How many trials count towards the number wanted: all that were trained, if only in part."""
    return sum(trial.state in ("completed", "failed") or was_stopped_early(trial) for trial in trials)


def _num_refused_last(trials: tuple[Trial, ...]) -> int:
    """How many trials over a limit there were since the last one that was trained."""
    ended = [trial for trial in trials if trial.state not in UNFINISHED]
    return next((n for n, trial in enumerate(reversed(ended)) if not _is_refused(trial)), len(ended))


def _is_refused(trial: Trial) -> bool:
    return trial.state == "pruned" and not was_stopped_early(trial)


def is_time_over(store: TrialStore, run: Run) -> bool:
    """Whether what is left of the time is kept for the finalists."""
    seconds = run.clock.seconds
    if seconds is None or not store.top_k(1):
        return False
    spent = run.clock.spent()
    key = f"after {num_tried(store.all())} trials"
    return run.decide("search ends", key, lambda: spent >= (1.0 - FINALS_SHARE) * seconds)


def note_of_best(store: TrialStore, problem: Problem) -> str:
    """The best score so far, for a person who waits."""
    best = store.top_k(1)
    metric = problem.yardstick.metric
    return f"best {metric} {best[0].values[metric]:.4g} ({best[0].number})" if best else ""
