"""The beam search that was released as google/model_search (its "adaptive coordinate descent")."""

from collections.abc import Sequence

import numpy as np

from pomona.fit.trials.store import best_first
from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import InputError


def released_beam(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A mutation of one of the `beam_width` trials of the highest scores, each as likely.

    As released: one random point to begin with, the beam at its full width at once, known points evaluated
    again and several trials of one point in the beam. The growth of its chains with the number of trials is
    left to the space.
    """
    beam = best_first(tuple(trials))[: settings.beam_width]
    if not beam:
        return random_search(space, trials, generator, settings)
    parent = beam[int(generator.integers(len(beam)))]
    try:
        point = space.mutate(parent.genome, generator)
    except InputError:
        return random_search(space, trials, generator, settings)
    return paid(space, trials, point, (parent.number,), "mutated one of the best")
