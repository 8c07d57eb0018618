"""Beam search as we do it: greedy at first, then wider; no point twice; leaders evaluated again.

It grew out of the released rules of model search ("released-beam"), from which it differs in four ways: the
beam widens with the budget, known points are not suggested as new ones, a model of the scores chooses among
several mutations, and a share of the budget evaluates the leaders again, whose shrunken means make the beam.
"""

from collections.abc import Sequence

import numpy as np

from pomona.fit.trials.strategies.leaders import leader_to_repeat, shrunken_means
from pomona.fit.trials.strategies.points import fresh_mutation, known_keys, random_suggestion, repeated
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial


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
    known = known_keys(trials) if settings.deduplicate else ()
    from_nothing = sum(not trial.parents and trial.state != "pruned" for trial in trials)
    parents = beam_of(trials, settings)
    if from_nothing < settings.starts or not parents:
        return random_suggestion(space, trials, known, generator)
    for index in generator.permutation(len(parents)):
        parent = parents[index]
        point = fresh_mutation(space, parent.genome, known, generator)
        if point is not None:
            seed = 0 if settings.deduplicate else repeated(trials, space.key(point))
            return Suggestion(point, seed, (parent.number,), "mutated one of the best")
    return random_suggestion(space, trials, known, generator)


def beam_of(trials: Sequence[Trial], settings: StrategySettings) -> list[Trial]:
    """The first trials of the points that new ones are made from, best first."""
    shrunken = shrunken_means(trials)
    width = current_width(len(shrunken), settings)
    leading = set(sorted(shrunken, key=lambda key: -shrunken[key].mean)[:width])
    first: dict[str, Trial] = {}
    for trial in trials:
        if trial.genome_hash in leading and trial.score is not None:
            first.setdefault(trial.genome_hash, trial)
    return sorted(first.values(), key=lambda trial: -shrunken[trial.genome_hash].mean)


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
