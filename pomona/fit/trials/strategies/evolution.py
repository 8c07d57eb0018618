"""Regularised evolution (Real et al. 2019, arXiv 1802.01548, algorithm 1)."""

from collections.abc import Sequence

import numpy as np

from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import InputError


def evolution(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A mutation of the best of a few rivals drawn among the latest trials; at first, points at random.

    The oldest leave the population, however good they are. Points that come up again are evaluated again, as
    published. A population of 10 with 3 rivals suits budgets of hundreds; the paper used 100 and 25.
    """
    scored = [trial for trial in trials if trial.score is not None]
    if len(scored) < settings.population:
        return random_search(space, trials, generator, settings)
    population = scored[-settings.population :]
    rivals = generator.choice(len(population), size=min(settings.sample, len(population)), replace=False)
    parent = max((population[rival] for rival in rivals), key=lambda trial: trial.score or 0.0)
    try:
        point = space.mutate(parent.genome, generator)
    except InputError:
        return random_search(space, trials, generator, settings)
    return paid(space, trials, point, (parent.number,), "mutated the best of some rivals")
