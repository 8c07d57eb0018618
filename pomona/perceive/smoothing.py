"""Steadying of landmarks over time: the one-euro filter (Casiez, Roussel, Vogel 2012) and plain averaging.

States are values: a filter takes the old one and gives the new one, so that a frame can be taken back.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class OneEuro:
    """How much to steady: `min_cutoff` in Hz for what rests, plus `beta` times its speed.

    Speed is in sizes of the object a second, so that near and far people are treated alike.
    """

    min_cutoff: float
    beta: float
    derivative_cutoff: float = 1.0


@dataclass(frozen=True)
class OneEuroState:
    """The last frame: its time, the points as they were seen and as they were given, their filtered speed."""

    time_s: float
    seen: Float[np.ndarray, "point axis"]
    given: Float[np.ndarray, "point axis"]
    speed: Float[np.ndarray, "point axis"]


def steady(
    settings: OneEuro,
    points: Float[np.ndarray, "point axis"],
    time_s: float,
    state: OneEuroState | None,
    size: float = 1.0,
) -> tuple[Float[np.ndarray, "point axis"], OneEuroState]:
    """The steadied points and the new state. `size` is the object's, in the unit of the points.

    A time that does not go on leaves points and state as they are; so does an object without size.
    """
    if state is None:
        state = OneEuroState(time_s, points, points, np.zeros_like(points))
        return points, state
    passed = time_s - state.time_s
    if passed <= 0 or size < 1e-6:
        return points, state
    rate = 1 / passed
    speed = state.speed + _share(settings.derivative_cutoff, rate) * (
        (points - state.seen) * (rate / size) - state.speed
    )
    cutoff = settings.min_cutoff + settings.beta * np.abs(speed)
    given = state.given + (points - state.given) / (1 + rate / (2 * math.pi * cutoff))
    return given, OneEuroState(time_s, points, given, speed)


def _share(cutoff: float, rate: float) -> float:
    return 1 / (1 + rate / (2 * math.pi * cutoff))


def averaged(new: np.ndarray, old: np.ndarray | None, share: float) -> np.ndarray:
    """`share` of the new values and the rest of the old ones; the first values as they are."""
    return new if old is None else old + share * (new - old)
