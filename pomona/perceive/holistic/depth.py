"""One scale of depth for all parts, and hands in the metres of the body that holds them.

MediaPipe's parts each have a depth of their own: that of the pose is about twice that of its world landmarks,
that of the hands counts in another unit. Here depth comes from metres, at as many pixels a metre as the part
has across.
"""

import numpy as np
from jaxtyping import Float

_LEAST_SPREAD = 1e-9


def pixels_per_metre(
    points: Float[np.ndarray, "point axis"],
    metres: Float[np.ndarray, "point 3"],
    weight: np.ndarray | None = None,
) -> float:
    """The scale that takes x and y in metres best to x and y in pixels, by least squares."""
    share = np.ones(len(points)) if weight is None else weight
    share = share / max(share.sum(), _LEAST_SPREAD)
    x = metres[:, :2] - share @ metres[:, :2]
    y = points[:, :2] - share @ points[:, :2]
    spread = float(share @ (x * x).sum(axis=1))
    return float(share @ (x * y).sum(axis=1)) / spread if spread > _LEAST_SPREAD else 0.0


def body_depth(
    points: Float[np.ndarray, "33 5"], world: Float[np.ndarray, "33 3"]
) -> Float[np.ndarray, "33"]:
    """Depth of the pose in pixels, 0 at the middle of the hips."""
    return world[:, 2] * pixels_per_metre(points, world, points[:, 4])


def hand_depth(
    points: Float[np.ndarray, "21 3"], world: Float[np.ndarray, "21 3"], wrist: float
) -> Float[np.ndarray, "21"]:
    """Depth of a hand in pixels, that of the pose's wrist at its own."""
    return wrist + (world[:, 2] - world[0, 2]) * pixels_per_metre(points, world)


def held_by(world: Float[np.ndarray, "21 3"], wrist: Float[np.ndarray, "3"]) -> Float[np.ndarray, "21 3"]:
    """A hand in metres, moved to where the arm of the pose holds it."""
    return world - world[0] + wrist
