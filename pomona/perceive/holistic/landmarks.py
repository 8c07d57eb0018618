"""The landmarks of pose, hand and face: their names, which are joined, and the triangles of the face mesh.

Left and right are the person's own. Indices, names and joins are MediaPipe's (Apache-2.0).
"""

import functools
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Int

POSE_NAMES = (
    "nose",
    *("left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)

HAND_NAMES = (
    "wrist",
    *("thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip"),
    *("index_finger_mcp", "index_finger_pip", "index_finger_dip", "index_finger_tip"),
    *("middle_finger_mcp", "middle_finger_pip", "middle_finger_dip", "middle_finger_tip"),
    *("ring_finger_mcp", "ring_finger_pip", "ring_finger_dip", "ring_finger_tip"),
    *("pinky_mcp", "pinky_pip", "pinky_dip", "pinky_tip"),
)

Edge = tuple[int, int]


def _edges(*paths: tuple[int, ...]) -> tuple[Edge, ...]:
    return tuple(edge for path in paths for edge in pairwise(path))


POSE_CONNECTIONS: tuple[Edge, ...] = _edges(
    (0, 1, 2, 3, 7),
    (0, 4, 5, 6, 8),
    (9, 10),
    (11, 12),
    (11, 13, 15, 17),
    (15, 19),
    (15, 21),
    (17, 19),
    (12, 14, 16, 18),
    (16, 20),
    (16, 22),
    (18, 20),
    (11, 23),
    (12, 24),
    (23, 24),
    (23, 25, 27, 29, 31),
    (24, 26, 28, 30, 32),
    (27, 31),
    (28, 32),
)

HAND_CONNECTIONS: tuple[Edge, ...] = _edges(
    (0, 1, 2, 3, 4),
    (0, 5, 6, 7, 8),
    (5, 9, 10, 11, 12),
    (9, 13, 14, 15, 16),
    (13, 17, 18, 19, 20),
    (0, 17),
)

FACE_CONTOURS: dict[str, tuple[Edge, ...]] = {
    "lips": _edges(
        (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
        (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
        (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
        (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    ),
    "left_eye": _edges(
        (263, 249, 390, 373, 374, 380, 381, 382, 362), (263, 466, 388, 387, 386, 385, 384, 398, 362)
    ),
    "left_eyebrow": _edges((276, 283, 282, 295, 285), (300, 293, 334, 296, 336)),
    "right_eye": _edges(
        (33, 7, 163, 144, 145, 153, 154, 155, 133), (33, 246, 161, 160, 159, 158, 157, 173, 133)
    ),
    "right_eyebrow": _edges((46, 53, 52, 65, 55), (70, 63, 105, 66, 107)),
    "oval": _edges(
        (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
        (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    ),
    "left_iris": _edges((474, 475, 476, 477, 474)),
    "right_iris": _edges((469, 470, 471, 472, 469)),
}
"""The lines by which a face is known. Irises are there only where the face was refined."""

FACE_NOSE: tuple[Edge, ...] = _edges(
    (168, 6, 197, 195, 5, 4, 1, 19, 94, 2),
    (98, 97, 2, 326, 327, 294, 278, 344, 440, 275, 4, 45, 220, 115, 48, 64, 98),
)

FACE_MESH_FILE = Path(__file__).with_name("face_mesh.json")
"""The 852 triangles of the face mesh, as a JSON list of three indices each."""


@functools.cache
def face_triangles() -> Int[np.ndarray, "852 3"]:
    """The triangles of the face mesh, in MediaPipe's order; do not write to the array."""
    return np.array(json.loads(FACE_MESH_FILE.read_text()), np.int32)


@functools.cache
def face_mesh_edges() -> Int[np.ndarray, "1322 2"]:
    """The sides of those triangles, each once, the lower index first; do not write to the array."""
    triangles = face_triangles()
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(sides, axis=1), axis=0)
