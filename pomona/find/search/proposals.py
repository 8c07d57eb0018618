"""Proposals: what to train next, from nothing at first, then as the strategy says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pomona.find.search.genome_space import GenomeSpace
from pomona.find.search.pareto import with_objectives
from pomona.find.search.problem import STRATEGIES, Problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.starting import starting_genome, untried_network
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.strategies import StrategySettings
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.run import Run

MAX_DUPLICATES = 200


def propose(problem: Problem, store: TrialStore, run: Run) -> Trial | None:
    """A new running trial of a genome that is not in the store, or of a leader with a fresh seed; None when
    only known ones come up.

    What is proposed hangs on the trials in the store and the run's seed alone. The duplicates that came up
    before it are counted in its attributes.
    """
    trials = with_objectives(store.all(), problem, run)
    space = GenomeSpace(problem, {trial.genome_hash for trial in trials})
    for attempt in range(MAX_DUPLICATES):
        # each attempt has a stream of its own: a trainer that came second draws something else
        generator = run.generator("propose", f"{len(trials)} {attempt}")
        proposal = _drawn(problem, space, trials, generator)
        claimed = store.claim(replace(proposal, attributes={"duplicates": max(space.num_known, attempt)}))
        if claimed is not None:
            return claimed
    return None


def num_duplicates(trials: Sequence[Trial]) -> int:
    """How many genomes came up again and were not trained again."""
    return sum(trial.attributes.get("duplicates", 0) for trial in trials)


def strategy_settings(settings: SearchSettings) -> StrategySettings:
    """What a strategy goes by, from the settings of the search."""
    return StrategySettings(
        num_trials=settings.trials,
        starts=settings.starts,
        beam_width=settings.beam_width,
        widen_every=settings.widen_every,
        reevaluations=settings.reevaluations,
        deduplicate=settings.deduplicate,
        surrogate=settings.surrogate,
        objectives=settings.objectives,
        # a child differs from its parent in one thing, which its lineage names
        further=0.0,
    )


def _drawn(
    problem: Problem, space: GenomeSpace, trials: Sequence[Trial], generator: np.random.Generator
) -> Proposal:
    whole = untried_network(problem, {trial.genome_hash for trial in trials}, generator)
    if whole is not None:
        return Proposal(whole.genome.to_json(), whole.hash, mutation=whole.sentence)
    from_nothing = sum(not trial.parents and trial.state != "pruned" for trial in trials)
    if from_nothing < problem.settings.starts:
        started = starting_genome(from_nothing, problem, generator)
        return Proposal(started.genome.to_json(), started.hash, mutation=started.sentence)
    method = STRATEGIES[problem.settings.method]
    suggested = method(space, trials, generator, strategy_settings(problem.settings))
    key = space.key(suggested.point)
    sentence = space.sentence(key) or suggested.mutation
    if suggested.seed:
        sentence = f"trained again with fresh seed {suggested.seed}"
    return Proposal(suggested.point, key, suggested.seed, suggested.parents, sentence)
