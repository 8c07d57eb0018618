"""Whether what was followed is still where a fresh look finds it: MediaPipe's rule for hands and faces."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.region import Region, turned


@dataclass(frozen=True)
class Tolerance:
    """How far the region of the last frame's landmarks may be from the fresh one, in shares of its sides."""

    turn: float  # radians
    shift: float
    growth: float
    margin: float  # by which the fresh region shrinks before all landmarks must lie in it; below 0 it grows


HAND_TOLERANCE = Tolerance(turn=math.radians(40), shift=0.2, growth=0.4, margin=0.1)
FACE_TOLERANCE = Tolerance(turn=math.radians(15), shift=0.1, growth=0.3, margin=-0.2)


def still_there(
    tracked: Region, points: Float[np.ndarray, "point axis"], fresh: Region, tolerance: Tolerance
) -> bool:
    """Whether the tracked region may be used instead of the fresh one."""
    x, y = fresh.inside(np.array([[tracked.x, tracked.y]]))[0]
    if abs(turned(tracked.rotation - fresh.rotation)) > tolerance.turn:
        return False
    if max(abs(x), abs(y)) > tolerance.shift:
        return False
    growth = max(
        abs(tracked.width - fresh.width) / fresh.width, abs(tracked.height - fresh.height) / fresh.height
    )
    if growth > tolerance.growth:
        return False
    return bool((np.abs(fresh.inside(points[:, :2])) < (1 - tolerance.margin) / 2).all())
