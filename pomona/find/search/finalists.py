"""Finalists: the best models trained again with fresh seeds, so that luck does not choose the winner.

The best of many noisy scores is too good on average (the winner's curse); the mean over fresh seeds is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pomona.find.search.attempt import keep, said
from pomona.find.search.genome import Genome
from pomona.find.search.problem import Problem
from pomona.find.search.training import train
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.errors import PomonaError
from pomona.foundation.run import Run


@dataclass(frozen=True)
class Finalist:
    """A trial of the search, and the completed trainings of its genome with fresh seeds."""

    trial: Trial
    repeats: tuple[Trial, ...]
    num_failed: int = 0

    @property
    def score(self) -> float:
        """The mean score over fresh seeds; minus infinity when a training failed or there was none."""
        if self.num_failed or not self.repeats:
            return float("-inf")
        return float(np.mean([repeat.score or 0.0 for repeat in self.repeats]))

    def mean(self, metric: str) -> float:
        """The mean of a validation metric over fresh seeds, or that of the search when there are none."""
        values = [trial.values.get(metric, float("nan")) for trial in self.repeats or (self.trial,)]
        return float(np.mean(values))


def run_finals(
    problem: Problem, contenders: Sequence[Trial], store: TrialStore, run: Run
) -> tuple[Finalist, ...]:
    """The contenders after their trainings from nothing, the winner first.

    Every contender is trained with one seed before any is trained with the next, so that they stay comparable
    when the time is over. Raises Interrupted with everything saved.
    """
    store.reap(alone=True)
    seeds = range(1, problem.settings.finalist_seeds + 1)
    with run.progress("finalists", len(seeds) * len(contenders), "trainings") as progress:
        for seed in seeds:
            for contender in contenders:
                if _is_time_over(run, contender, seed):
                    break
                _train_again(contender, seed, problem, store, run)
                progress.advance()
                run.save("finalists", {"trainings": len(store.all())})
                run.check_interrupt()
    finalists = [_finalist(contender, store) for contender in contenders]
    return tuple(sorted(finalists, key=_rank))


def _rank(finalist: Finalist) -> tuple[float, float, float]:
    # more trainings first: a mean over fewer is not comparable; the search's own score where there are none
    return -len(finalist.repeats), -finalist.score, -(finalist.trial.score or 0.0)


def _is_time_over(run: Run, contender: Trial, seed: int) -> bool:
    if run.clock.seconds is None:
        return False
    key = f"before {contender.genome_hash} with seed {seed}"
    return run.decide("finals end", key, lambda: run.stop_reason == "seconds")


def _train_again(contender: Trial, seed: int, problem: Problem, store: TrialStore, run: Run) -> None:
    proposal = Proposal(
        contender.genome,
        contender.genome_hash,
        seed=seed,
        mutation=f"trial {contender.number} with fresh seed {seed}",
        attributes={"contender": contender.number},
    )
    trial = store.claim(proposal) or _left_behind(store, contender, seed)
    if trial is None:
        return
    genome = Genome.from_json(contender.genome)
    name = f"finalist-{contender.genome_hash}-{seed}"
    try:
        result = train(genome, problem, run, name=name, factor=problem.settings.finalist_steps)
    except PomonaError:
        raise
    except Exception as error:
        store.fail(trial.number, said(error))
        return
    if result.failed:
        store.fail(trial.number, result.failed)
    else:
        keep(trial, genome, result, problem, store)


def _left_behind(store: TrialStore, contender: Trial, seed: int) -> Trial | None:
    """The training that an earlier process began and did not end; None when it is done."""
    for trial in store.by_genome_hash(contender.genome_hash):
        if trial.seed == seed and trial.state == "waiting":
            return store.claim_waiting()
    return None


def _finalist(contender: Trial, store: TrialStore) -> Finalist:
    repeats = store.by_genome_hash(contender.genome_hash)
    completed = tuple(trial for trial in repeats if trial.state == "completed")
    return Finalist(contender, completed, sum(trial.state == "failed" for trial in repeats))
