"""How much a landmark is to be believed.

MediaPipe gives hands and faces no confidence, and invents what is hidden or out of the frame.
"""

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
    return np.clip(1 - beyond / (FADE * max(width, height)), 0, 1)


def facing(points: Float[np.ndarray, "landmark 3"]) -> Float[np.ndarray, "468"]:
    """1 for points of the face mesh on the side of the camera, 0 for those that the head itself hides.

    From the cosine between the normal of the mesh and the line of sight: between ±0.2, where the mesh is
    seen edge on, it fades.
    """
    triangles = face_triangles()
    corners = points[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    cosine = normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-9)
    each = np.repeat(cosine, 3)
    corner = triangles.ravel()
    mean = np.bincount(corner, each, _MESH) / np.maximum(np.bincount(corner, minlength=_MESH), 1)
    # the triangles run so that z, which grows away from the camera, makes those that face it negative
    return np.clip(0.5 - mean / 0.4, 0, 1)
