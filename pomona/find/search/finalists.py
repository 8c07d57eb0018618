"""Finalists: the best models trained again with fresh seeds, so that luck does not choose the winner.

The best of many noisy scores is too good on average (the winner's curse). What is expected of a model over
all its seeds decides; trainings of leaders that the search itself repeated count and are not done again.
Every training of a model starts from the same inherited weights, or from nothing if the first one did.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pomona.find.search.attempt import heritage_of, keep, said
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import Standing, is_reevaluation, once_each, ranking, standings
from pomona.find.search.models import WEIGHTS
from pomona.find.search.problem import Problem
from pomona.find.search.teachers import lessons_of, recorded_teachers
from pomona.find.search.training import fit_name, train
from pomona.fit.trials.held import held
from pomona.fit.trials.store import TrialStore, num_finished, others_are_at_it
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.errors import PomonaError
from pomona.foundation.run import Run

POLL_S = 0.3

STUDENTS_TIME = 0.15
"""Of the time, where it is limited: kept for the student, where one is wanted."""


@dataclass(frozen=True)
class Finalist:
    """A trial of the search, the completed trainings of its genome with fresh seeds, and how it stands."""

    trial: Trial
    repeats: tuple[Trial, ...]
    num_failed: int = 0
    standing: Standing | None = None

    def mean(self, metric: str) -> float:
        """The mean of a validation metric over fresh seeds, or that of the search when there are none."""
        values = [trial.values.get(metric, float("nan")) for trial in self.repeats or (self.trial,)]
        return float(np.mean(values))


def run_finals(problem: Problem, searched: TrialStore, store: TrialStore, run: Run) -> tuple[Finalist, ...]:
    """The finalists of a search after their trainings, the winner first; none when no trial of `searched` was
    completed.

    Every finalist is trained once; then always the one that leads, until it was trained with as many seeds as
    wanted. What a search spent on training leaders again it so spares here. Raises Interrupted with
    everything saved.
    """
    store.reap(alone=True)
    contenders = prepare_finals(problem, searched, store)
    train_finals(contenders, problem, searched, store, run)
    return _ranked(contenders, problem, searched, store)


def prepare_finals(problem: Problem, searched: TrialStore, store: TrialStore) -> tuple[Trial, ...]:
    """The models that are to be trained again; trainings that the search repeated are theirs already."""
    contenders = ranking(searched.all())[: problem.settings.finalists]
    for contender in contenders:
        _take_over(contender, searched, store)
    return tuple(contenders)


def train_finals(
    contenders: Sequence[Trial],
    problem: Problem,
    searched: TrialStore,
    store: TrialStore,
    run: Run,
    *,
    together: bool = False,
) -> None:
    """Trains the finalists until nothing is left to train or the time is over.

    With `together` others do the same on these stores: what the dead were at is taken over.
    """
    wanted, num_in_vain = problem.settings.finalist_seeds * len(contenders), 0
    with run.progress("finalists", wanted, "trainings") as progress:
        while True:
            progress.advance(num_finished(store) - progress.done)
            trial = store.claim_waiting() or _claim_next(contenders, problem, searched, store, run)
            num_in_vain = 0 if trial is not None else num_in_vain + 1
            if trial is not None:
                with held(trial, store, run):
                    _train_again(trial, problem, searched, store, run)
                run.save("finalists", {"trainings": len(store.all())})
            elif together and others_are_at_it(store) and not run.should_stop():
                time.sleep(POLL_S)
                store.reap(alone=False)
                num_in_vain = 0
            # asked twice: a training that was promised to a dead trainer may be free since the first time
            elif not together or num_in_vain > 1:
                break
            run.check_interrupt()
    run.check_interrupt()


def _claim_next(
    contenders: Sequence[Trial], problem: Problem, searched: TrialStore, store: TrialStore, run: Run
) -> Trial | None:
    """The next training that nobody began; None when there is none, or no time for it."""
    leading = _best_first(contenders, once_each([*searched.all(), *store.all()]))[:1]
    once = [contender for contender in contenders if not store.by_genome_hash(contender.genome_hash)]
    for contender in [*once, *leading]:
        begun = {known.seed for known in store.by_genome_hash(contender.genome_hash)}
        for seed in range(1, problem.settings.finalist_seeds + 1):
            if seed in begun:
                continue
            if _is_time_over(problem, run, contender, seed):
                return None
            claimed = store.claim(_proposal(contender, seed))
            if claimed is not None:
                return claimed
    return None


def _ranked(
    contenders: Sequence[Trial], problem: Problem, searched: TrialStore, store: TrialStore
) -> tuple[Finalist, ...]:
    """The finalists, that of which most is expected first: all that was measured of any model tells how noisy
    scores are, and so how far each is to be believed.
    """
    measured = once_each([*searched.all(), *store.all()])
    standing = standings(measured, problem.yardstick)
    return tuple(
        _finalist(trial, store, standing.get(trial.genome_hash))
        for trial in _best_first(contenders, measured)
    )


def _best_first(contenders: Sequence[Trial], measured: Sequence[Trial]) -> list[Trial]:
    """The contenders by what is expected of them after all that was measured of any model."""
    hashes = {contender.genome_hash for contender in contenders}
    return [trial for trial in ranking(measured) if trial.genome_hash in hashes]


def _take_over(contender: Trial, searched: TrialStore, store: TrialStore) -> None:
    """Makes the trainings of a model that the search repeated, which finals would do alike, part of them."""
    for known in searched.by_genome_hash(contender.genome_hash):
        if not is_reevaluation(known) or known.state != "completed" or known.score is None:
            continue
        trial = store.claim(_proposal(contender, known.seed))
        if trial is not None:
            store.add_artifact(trial.number, WEIGHTS, searched.path(known.number, WEIGHTS).read_bytes())
            store.finish(trial.number, known.score, known.values, {**known.attributes, **trial.attributes})


def _is_time_over(problem: Problem, run: Run, contender: Trial, seed: int) -> bool:
    seconds = run.clock.seconds
    if seconds is None:
        return False
    share = 1.0 if problem.settings.student == "none" else 1.0 - STUDENTS_TIME
    key = f"before {contender.genome_hash} with seed {seed}"
    return run.decide("finals end", key, lambda: run.clock.spent() >= share * seconds)


def _train_again(trial: Trial, problem: Problem, searched: TrialStore, store: TrialStore, run: Run) -> None:
    contender = searched.all()[trial.attributes["contender"]]
    genome = Genome.from_json(trial.genome)
    name, teachers = fit_name(trial), recorded_teachers(contender)
    factor = problem.settings.finalist_steps
    try:
        heritage = heritage_of(trial, genome, problem, searched, run)
        lessons = lessons_of(teachers, genome, problem, searched, run)
        result = train(genome, problem, run, name=name, factor=factor, heritage=heritage, lessons=lessons)
    except PomonaError:
        raise
    except Exception as error:
        store.fail(trial.number, said(error))
        return
    if result.failed:
        store.fail(trial.number, result.failed)
    else:
        share = heritage.share if heritage else 0.0
        keep(trial, genome, result, problem, store, inherited_share=share, teachers=teachers)


def _proposal(contender: Trial, seed: int) -> Proposal:
    return Proposal(
        contender.genome,
        contender.genome_hash,
        seed=seed,
        mutation=f"trial {contender.number} with fresh seed {seed}",
        attributes={"contender": contender.number},
    )


def _finalist(contender: Trial, store: TrialStore, standing: Standing | None) -> Finalist:
    repeats = store.by_genome_hash(contender.genome_hash)
    completed = tuple(trial for trial in repeats if trial.state == "completed")
    return Finalist(contender, completed, sum(trial.state == "failed" for trial in repeats), standing)
