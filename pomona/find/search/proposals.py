"""Proposals: a genome that was never tried, from nothing at first, then from one of the best."""

from collections.abc import Sequence

import numpy as np

from pomona.find.search.beam import choose_parent
from pomona.find.search.genome import Genome
from pomona.find.search.mutate import Mutated, mutate
from pomona.find.search.problem import Problem
from pomona.find.search.starting import starting_genome
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.errors import SpecError
from pomona.foundation.run import Run

MAX_DUPLICATES = 200


def propose(problem: Problem, store: TrialStore, run: Run) -> Trial | None:
    """A new running trial of a genome that is not in the store; None when only known ones come up.

    What is proposed hangs on the trials in the store and the run's seed alone. The duplicates that came up
    before it are counted in its attributes.
    """
    trials = store.all()
    generator = run.generator("propose", len(trials))
    for duplicates in range(MAX_DUPLICATES):
        parent, drawn = _draw(problem, trials, generator)
        claimed = store.claim(
            Proposal(
                drawn.genome.to_json(),
                drawn.hash,
                parents=() if parent is None else (parent.number,),
                mutation=drawn.sentence,
                attributes={"duplicates": duplicates},
            )
        )
        if claimed is not None:
            return claimed
    return None


def num_duplicates(trials: Sequence[Trial]) -> int:
    """How many genomes came up again and were not trained again."""
    return sum(trial.attributes.get("duplicates", 0) for trial in trials)


def _draw(
    problem: Problem, trials: Sequence[Trial], generator: np.random.Generator
) -> tuple[Trial | None, Mutated]:
    settings = problem.settings
    parent = choose_parent(
        trials, generator, beam_width=settings.beam_width, widen_every=settings.widen_every
    )
    from_nothing = sum(not trial.parents and trial.state != "pruned" for trial in trials)
    if parent is not None and from_nothing >= settings.starts:
        try:
            return parent, mutate(Genome.from_json(parent.genome), problem, generator)
        except SpecError:
            # a network that cannot be changed in any allowed way is a dead end
            pass
    return None, starting_genome(from_nothing, problem, generator)
