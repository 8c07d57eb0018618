"""The bootstrap gap: how much worse a network is for using the same examples again.

Test error (real) = test error (ideal) + gap (Nakkiran, Neyshabur, Sedghi 2021). The gap is a curve, read up
to where the real world's train error is 1 %: after that the real world has nothing left to learn from.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.statistics.interval import t_interval
from pomona.question.bootstrap.curves import Curves

CONVERGED = 0.01
"""Train error at which a real world counts as converged."""


@dataclass(frozen=True, eq=False)
class Band:
    """A mean over seeds at every point, and its 95 % interval over seeds."""

    mean: Float[np.ndarray, " point"]
    low: Float[np.ndarray, " point"]
    high: Float[np.ndarray, " point"]


@dataclass(frozen=True, eq=False)
class Gap:
    """What was found for one size of the real world."""

    size: int
    steps: Int[np.ndarray, " point"]
    real: Band
    ideal: Band
    gap: Band
    """Real minus ideal soft error of the same seed, which is tested on the same examples."""
    train_error: Band
    end: int
    """Index of the point where the gap is read: where the train error is first 1 %, or else the last one."""
    has_converged: bool
    """Whether the train error came down to 1 %."""

    @property
    def end_step(self) -> int:
        """Steps done where the gap is read."""
        return int(self.steps[self.end])

    @property
    def largest(self) -> float:
        """The largest distance of the two worlds' mean soft errors up to where the gap is read."""
        return float(np.abs(self.gap.mean[: self.end + 1]).max())


def gaps(curves: Curves) -> dict[int, Gap]:
    """The gap for every size, of curves whose every seed came through (see `sound_curves`)."""
    return {size: _gap(curves, size) for size in curves.real}


def band(values: Float[np.ndarray, "member point"], *, least: float = 0.0, most: float = 1.0) -> Band:
    """Mean and Student's interval over at least two members, at every point; within what values can be."""
    ends = [t_interval(column) for column in values.T]
    low, high = np.array([one.low for one in ends]), np.array([one.high for one in ends])
    return Band(values.mean(0), np.maximum(low, least), np.minimum(high, most))


def _gap(curves: Curves, size: int) -> Gap:
    train = curves.train_error[size].mean(0)
    converged = np.flatnonzero(train <= CONVERGED)
    return Gap(
        size,
        curves.steps,
        real=band(curves.real[size]),
        ideal=band(curves.ideal),
        gap=band(curves.real[size] - curves.ideal, least=-1.0),
        train_error=band(curves.train_error[size]),
        end=int(converged[0]) if len(converged) else len(train) - 1,
        has_converged=bool(len(converged)),
    )
