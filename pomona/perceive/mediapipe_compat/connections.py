"""MediaPipe's names for landmarks, and for what is joined, as it spells them."""

from enum import IntEnum

from pomona.perceive.holistic.landmarks import (
    FACE_CONTOURS,
    FACE_NOSE,
    HAND_NAMES,
    POSE_NAMES,
    face_triangles,
)
from pomona.perceive.holistic.landmarks import HAND_CONNECTIONS as _HAND
from pomona.perceive.holistic.landmarks import POSE_CONNECTIONS as _POSE

PoseLandmark = IntEnum("PoseLandmark", [(name.upper(), index) for index, name in enumerate(POSE_NAMES)])
HandLandmark = IntEnum("HandLandmark", [(name.upper(), index) for index, name in enumerate(HAND_NAMES)])

POSE_CONNECTIONS = frozenset(_POSE)
HAND_CONNECTIONS = frozenset(_HAND)

FACEMESH_LIPS = frozenset(FACE_CONTOURS["lips"])
FACEMESH_LEFT_EYE = frozenset(FACE_CONTOURS["left_eye"])
FACEMESH_LEFT_EYEBROW = frozenset(FACE_CONTOURS["left_eyebrow"])
FACEMESH_LEFT_IRIS = frozenset(FACE_CONTOURS["left_iris"])
FACEMESH_RIGHT_EYE = frozenset(FACE_CONTOURS["right_eye"])
FACEMESH_RIGHT_EYEBROW = frozenset(FACE_CONTOURS["right_eyebrow"])
FACEMESH_RIGHT_IRIS = frozenset(FACE_CONTOURS["right_iris"])
FACEMESH_FACE_OVAL = frozenset(FACE_CONTOURS["oval"])
FACEMESH_NOSE = frozenset(FACE_NOSE)

FACEMESH_IRISES = FACEMESH_LEFT_IRIS | FACEMESH_RIGHT_IRIS
FACEMESH_CONTOURS = (
    FACEMESH_LIPS
    | FACEMESH_LEFT_EYE
    | FACEMESH_LEFT_EYEBROW
    | FACEMESH_RIGHT_EYE
    | FACEMESH_RIGHT_EYEBROW
    | FACEMESH_FACE_OVAL
)
FACEMESH_TESSELATION = frozenset(
    side
    for first, second, third in face_triangles().tolist()
    for side in ((first, second), (second, third), (third, first))
)
