"""How much a landmark is to be believed.

MediaPipe gives hands and faces no confidence, and invents what is hidden or out of the frame.
"""

import functools

import numpy as np
from jaxtyping import Float

from pomona.perceive.holistic.landmarks import face_triangles

FADE = 0.02
"""Beyond the frame's edge confidence falls to nothing within this share of the longer side."""

_MESH = 468


def in_frame(points: Float[np.ndarray, "point axis"], width: int, height: int) -> Float[np.ndarray, " point"]:
    """1 for points in the frame, 0 for points clearly beyond its edge."""
    x, y = points[:, 0], points[:, 1]
    beyond = np.maximum(np.maximum(-x, x - width), np.maximum(-y, y - height))
    return np.minimum(1, np.maximum(0, 1 - beyond / (FADE * max(width, height))))


def facing(points: Float[np.ndarray, "landmark 3"]) -> Float[np.ndarray, "468"]:
    """1 for points of the face mesh on the side of the camera, 0 for those that the head itself hides.

    From the cosine between the normal of the mesh and the line of sight: between ±0.2, where the mesh is
    seen edge on, it fades.
    """
    x, y, z = points[face_triangles()].transpose(2, 1, 0)
    along, aside = (x[1] - x[0], y[1] - y[0], z[1] - z[0]), (x[2] - x[0], y[2] - y[0], z[2] - z[0])
    across = along[1] * aside[2] - along[2] * aside[1], along[2] * aside[0] - along[0] * aside[2]
    towards = along[0] * aside[1] - along[1] * aside[0]
    length = np.sqrt(across[0] ** 2 + across[1] ** 2 + towards**2)
    cosine = towards / np.maximum(length, 1e-9)
    corner, count = _corners()
    mean = np.bincount(corner, np.repeat(cosine, 3), _MESH) / count
    # the triangles run so that z, which grows away from the camera, makes those that face it negative
    return np.minimum(1, np.maximum(0, 0.5 - mean / 0.4))


@functools.cache
def _corners() -> tuple[np.ndarray, np.ndarray]:
    """The corners of all triangles in a row, and how many triangles each point is a corner of."""
    corner = face_triangles().ravel()
    return corner, np.maximum(np.bincount(corner, minlength=_MESH), 1)
