"""What was measured in both worlds: errors of every network at every point of the course."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from pomona.foundation.errors import SettingError

Errors = Float[np.ndarray, "member point"]


@dataclass(frozen=True, eq=False)
class Curves:
    """Errors over a course of steps; row `member` of every array comes from the same seed.

    Soft errors are 1 − the probability of the true class; a network that came to nothing is NaN from there.
    """

    steps: Int[np.ndarray, " point"]
    """Steps done when the errors were measured; the last one is all of them."""
    ideal: Errors
    """Soft test error of the networks that never saw an example twice."""
    real: Mapping[int, Errors]
    """Soft test error of the networks that use the same examples again, by how many those are."""
    train_error: Mapping[int, Errors]
    """Share of its own examples that a network of the real world still gets wrong."""
    train_soft: Mapping[int, Errors]
    """Soft error of a network of the real world on its own examples."""
    ideal_hard: Errors
    """Share of test examples that the networks of the ideal world get wrong."""
    real_hard: Mapping[int, Errors]
    """The same in the real world."""
    seconds: float
    """Spent on training and measuring all of them."""

    @property
    def num_steps(self) -> int:
        """Steps of the whole course."""
        return int(self.steps[-1])

    def sound(self) -> Bool[np.ndarray, " member"]:
        """Which seeds came through in every world."""
        arrays = [self.ideal, *self.real.values()]
        return np.all([np.isfinite(array).all(1) for array in arrays], axis=0)


def sound_curves(curves: Curves) -> Curves:
    """The curves of the seeds that came through. Raises SettingError when these are fewer than two."""
    kept = curves.sound()
    if kept.sum() < 2:
        raise SettingError(
            f"{len(kept) - kept.sum()} of {len(kept)} seeds came to nothing, their loss was no longer "
            "finite; at least 2 must come through: a lower --learning-rate may help"
        )
    return chosen_curves(curves, kept)


def chosen_curves(curves: Curves, kept: Bool[np.ndarray, " member"]) -> Curves:
    """The curves of some of the seeds."""
    return replace(
        curves,
        ideal=curves.ideal[kept],
        real={size: array[kept] for size, array in curves.real.items()},
        train_error={size: array[kept] for size, array in curves.train_error.items()},
        train_soft={size: array[kept] for size, array in curves.train_soft.items()},
        ideal_hard=curves.ideal_hard[kept],
        real_hard={size: array[kept] for size, array in curves.real_hard.items()},
    )
