"""Beam search as we do it: greedy at first, then wider; no point twice; leaders evaluated again.

It grew out of the released rules of model search ("released-beam"), from which it differs in four ways: the
beam widens with the budget, known points are not suggested as new ones, a model of the scores chooses among
several mutations, and a share of the budget evaluates the leaders again, whose shrunken means make the beam.
"""

from collections.abc import Collection, Sequence

import numpy as np

from pomona.fit.trials.strategies.leaders import leader_to_repeat, leading_points
from pomona.fit.trials.strategies.points import (
    fresh_mutations,
    known_keys,
    paid,
    random_suggestion,
    repeated,
)
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.strategies.surrogate import predicted_ranks
from pomona.fit.trials.trial import Trial

LEAST_TOLD = 10
"""Trials with a score before a model of them is asked."""


def beam(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A leader again when it is time for it, else a mutation of one of the best points, each as likely."""
    if is_time_to_repeat(trials, settings):
        leader = leader_to_repeat(trials)
        if leader is not None:
            seed = repeated(trials, leader.genome_hash)
            return Suggestion(leader.genome, seed, (leader.number,), "evaluated a leader again")
    known = known_keys(trials) if settings.deduplicate else set()
    from_nothing = sum(not trial.parents and trial.state != "pruned" for trial in trials)
    parents = beam_of(trials, settings)
    if from_nothing >= settings.starts:
        for index in generator.permutation(len(parents)):
            suggestion = _changed(parents[index], space, trials, known, generator, settings)
            if suggestion is not None:
                return suggestion
    return random_suggestion(space, trials, known, generator)


def _changed(
    parent: Trial,
    space: SearchSpace,
    trials: Sequence[Trial],
    known: Collection[str],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion | None:
    """A mutation of `parent`, the most promising of several; None when all near it are known."""
    is_told = settings.surrogate and sum(trial.score is not None for trial in trials) >= LEAST_TOLD
    num_points = settings.candidates if is_told else 1
    found = fresh_mutations(
        space, parent.genome, known, generator, num_points=num_points, further=settings.further
    )
    if not found:
        return None
    points = list(found.values())
    best = int(np.argmax(predicted_ranks(space, trials, points))) if len(points) > 1 else 0
    mutation = (
        "most promising of several changes to one of the best" if is_told else "changed one of the best"
    )
    return paid(space, trials, points[best], (parent.number,), mutation)


def beam_of(trials: Sequence[Trial], settings: StrategySettings) -> list[Trial]:
    """The first trials of the points that new ones are made from, best first."""
    num_points = len({trial.genome_hash for trial in trials if trial.score is not None})
    return leading_points(trials, current_width(num_points, settings))


def current_width(num_completed: int, settings: StrategySettings) -> int:
    """How many points the beam holds after `num_completed`: greedy search is best for a small budget, a wide
    beam for a large one."""
    return min(settings.beam_width, 1 + num_completed // settings.widen_every)


def is_time_to_repeat(trials: Sequence[Trial], settings: StrategySettings) -> bool:
    """Whether the next trial is one of the share that goes to leaders.

    The share is spent late, when leaders are worth it: its use rises with the square of the budget's.
    """
    share_done = (len(trials) + 1) / settings.num_trials
    due = settings.reevaluations * settings.num_trials * min(share_done, 1.0) ** 2
    if share_done > 1.0:
        due += settings.reevaluations * (len(trials) + 1 - settings.num_trials)
    return sum(trial.seed > 0 for trial in trials) < int(due)
