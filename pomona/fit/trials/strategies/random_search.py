"""Random search: the baseline that a strategy has to beat."""

from collections.abc import Sequence

import numpy as np

from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial


def random_search(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A point drawn at random, whatever was tried."""
    return paid(space, trials, space.sample(generator), mutation="drawn at random")
