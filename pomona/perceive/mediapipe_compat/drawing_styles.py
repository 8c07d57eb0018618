"""MediaPipe's default looks of landmarks and lines: which colour a finger has, and how thick it is."""

from collections.abc import Iterable

from pomona.perceive.holistic.landmarks import HAND_NAMES, POSE_NAMES
from pomona.perceive.mediapipe_compat import connections as joins
from pomona.perceive.mediapipe_compat.drawing_utils import DrawingSpec, Edge

# blue, green, red
_RED, _GREEN, _BLUE = (48, 48, 255), (48, 255, 48), (192, 101, 21)
_YELLOW, _GRAY, _PURPLE = (0, 204, 255), (128, 128, 128), (128, 64, 128)
_PEACH, _WHITE, _CYAN, _MAGENTA = (180, 229, 255), (224, 224, 224), (192, 255, 48), (192, 48, 255)
_LEFT, _RIGHT = (0, 138, 255), (231, 217, 0)

_FINGER_COLOURS = (_PEACH, _PURPLE, _YELLOW, _GREEN, _BLUE)  # from the thumb
_PALM = (0, 1, 5, 9, 13, 17)


def get_default_hand_landmarks_style() -> dict[int, DrawingSpec]:
    """The look of each point of a hand: a colour a finger, the palm red."""
    return {
        index: DrawingSpec(_RED if index in _PALM else _FINGER_COLOURS[(index - 1) // 4], -1, 5)
        for index in range(len(HAND_NAMES))
    }


def get_default_hand_connections_style() -> dict[Edge, DrawingSpec]:
    """The look of each line of a hand."""
    return {
        edge: DrawingSpec(_FINGER_COLOURS[(edge[0] - 1) // 4], 2)
        if edge[1] == edge[0] + 1 and edge[0] > 0
        else DrawingSpec(_GRAY, 3)
        for edge in joins.HAND_CONNECTIONS
    }


def get_default_pose_landmarks_style() -> dict[int, DrawingSpec]:
    """The look of each point of a pose: the left is orange, the right light blue."""
    colours = {"left": _LEFT, "right": _RIGHT}
    sides = [(set(name.split("_")) & set(colours)) or {""} for name in POSE_NAMES]
    return {index: DrawingSpec(colours.get(side, _WHITE)) for index, (side,) in enumerate(sides)}


def get_default_face_mesh_tesselation_style() -> DrawingSpec:
    """The look of the face mesh."""
    return DrawingSpec(_GRAY, 1)


def get_default_face_mesh_contours_style(i: int = 0) -> dict[Edge, DrawingSpec]:
    """The look of each line of a face; `i` chooses between MediaPipe's two."""
    second = i == 1
    return _each(
        (joins.FACEMESH_LIPS, _BLUE if second else _WHITE),
        (joins.FACEMESH_LEFT_EYE, _CYAN if second else _GREEN),
        (joins.FACEMESH_LEFT_EYEBROW, _GREEN),
        (joins.FACEMESH_RIGHT_EYE, _MAGENTA if second else _RED),
        (joins.FACEMESH_RIGHT_EYEBROW, _RED),
        (joins.FACEMESH_FACE_OVAL, _WHITE),
        (joins.FACEMESH_NOSE if second else (), _YELLOW),
    )


def get_default_face_mesh_iris_connections_style() -> dict[Edge, DrawingSpec]:
    """The look of the irises."""
    return _each((joins.FACEMESH_LEFT_IRIS, _GREEN), (joins.FACEMESH_RIGHT_IRIS, _RED))


def _each(*looks: tuple[Iterable[Edge], tuple[int, int, int]]) -> dict[Edge, DrawingSpec]:
    return {edge: DrawingSpec(colour, 2) for edges, colour in looks for edge in edges}
