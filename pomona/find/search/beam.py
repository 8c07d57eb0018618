"""The beam: which model a new one is made from."""

from collections.abc import Sequence

import numpy as np

from pomona.fit.trials.store import best_first
from pomona.fit.trials.trial import Trial


def choose_parent(
    trials: Sequence[Trial], generator: np.random.Generator, *, beam_width: int, widen_every: int
) -> Trial | None:
    """One of the best completed trials, each as likely; None when none is completed.

    The beam holds the best trial alone at first and takes in one more each `widen_every` completed trials, up
    to `beam_width`: greedy search is best for a small budget, a wide beam for a large one.
    """
    ranked = best_first(tuple(trials))
    if not ranked:
        return None
    beam = ranked[: current_width(len(ranked), beam_width=beam_width, widen_every=widen_every)]
    return beam[int(generator.integers(len(beam)))]


def current_width(num_completed: int, *, beam_width: int, widen_every: int) -> int:
    """How many trials the beam holds after `num_completed`."""
    return min(beam_width, 1 + num_completed // widen_every)
