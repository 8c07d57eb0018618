"""REINFORCE (Williams 1992), as in neural architecture search by reinforcement learning (Zoph, Le 2017)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.strategies.surrogate import normal_scores
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import InputError

RATE, DECAY, SQUARE_DECAY = 0.05, 0.9, 0.999
"""Adam's."""

WINDOW = 10
"""Latest trials whose mean is the baseline of a step."""

MOVES = 40
"""Steps of the chain that draws a point from the policy."""


def reinforce(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """A point drawn from a policy that was taught by all scores so far, a step of Adam a trial.

    The policy's probability of a point is proportional to the exponential of its features times the policy's
    weights, which for a `Space` of choices is an independent softmax a parameter. A chain of mutations draws
    from it (Metropolis), so that any space will do. Points that come up again are evaluated again.
    """
    scored = [trial for trial in trials if trial.score is not None]
    if len(scored) < WINDOW:
        return random_search(space, trials, generator, settings)
    features = np.array([space.features(trial.genome) for trial in scored])
    weights = policy(features, np.array([trial.score for trial in scored]))
    point = space.sample(generator)
    logit = float(space.features(point) @ weights)
    for threshold in np.log(generator.random(MOVES)):
        try:
            moved = space.mutate(point, generator)
        except InputError:
            break
        new_logit = float(space.features(moved) @ weights)
        if threshold < new_logit - logit:
            point, logit = moved, new_logit
    return paid(space, trials, point, mutation="drawn from the policy")


def policy(
    features: Float[np.ndarray, "trial feature"], scores: Float[np.ndarray, " trial"]
) -> Float[np.ndarray, " feature"]:
    """The policy's weights after a step of Adam for every trial from the WINDOW-th on.

    A step's gradient is the covariance of features and scores over the latest WINDOW trials: that is the
    policy gradient with their mean as the baseline, whatever the weights are, so all steps are made at once.
    Scores are taken by rank.
    """
    from scipy.signal import lfilter

    rewards = normal_scores(scores)
    centred = np.lib.stride_tricks.sliding_window_view(rewards, WINDOW)
    centred = (centred - centred.mean(axis=1, keepdims=True)) / (WINDOW - 1)
    windows = np.lib.stride_tricks.sliding_window_view(features, WINDOW, axis=0)
    gradients = np.einsum("sfw,sw->sf", windows, centred)
    steps = np.arange(1, len(gradients) + 1)[:, None]
    means = lfilter([1 - DECAY], [1, -DECAY], gradients, axis=0) / (1 - DECAY**steps)
    squares = lfilter([1 - SQUARE_DECAY], [1, -SQUARE_DECAY], gradients**2, axis=0)
    squares = squares / (1 - SQUARE_DECAY**steps)
    return RATE * (means / (np.sqrt(squares) + 1e-8)).sum(axis=0)
