"""Landmarks drawn over a picture as MediaPipe draws them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pomona.foundation.errors import DataError, MissingExtraError
from pomona.perceive.mediapipe_compat.landmark_lists import NormalizedLandmark, NormalizedLandmarkList

WHITE_COLOR = (224, 224, 224)
BLACK_COLOR = (0, 0, 0)
RED_COLOR = (0, 0, 255)
GREEN_COLOR = (0, 128, 0)
BLUE_COLOR = (255, 0, 0)

_LEAST_SEEN = 0.5


@dataclass(frozen=True)
class DrawingSpec:
    """A look: colour in the order of the picture's channels, widths in pixels; thickness -1 fills."""

    color: tuple[int, int, int] = WHITE_COLOR
    thickness: int = 2
    circle_radius: int = 2


Edge = tuple[int, int]
_RED_POINTS, _WHITE_LINES = DrawingSpec(color=RED_COLOR), DrawingSpec()


def draw_landmarks(
    image: UInt8[np.ndarray, "height width 3"],
    landmark_list: NormalizedLandmarkList | None,
    connections: Iterable[Edge] | None = None,
    landmark_drawing_spec: DrawingSpec | Mapping[int, DrawingSpec] | None = _RED_POINTS,
    connection_drawing_spec: DrawingSpec | Mapping[Edge, DrawingSpec] | None = _WHITE_LINES,
    is_drawing_landmarks: bool = True,
) -> None:
    """Draws lines, then points, into the picture. Hidden points, and those out of the picture, are left out.

    Nothing is drawn for None. A mapping tells the look of each point or line. Raises DataError for a picture
    without three channels and for a connection to a point that the list does not have.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "perceive") from error

    if landmark_list is None:
        return
    if image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"landmarks are drawn on a picture of three channels, got {list(image.shape)}")
    places = _places(landmark_list, image.shape[1], image.shape[0])
    if connection_drawing_spec is not None:
        for start, end in _joined(connections or (), places, len(landmark_list)):
            look = _look(connection_drawing_spec, (start, end))
            cv2.line(image, places[start], places[end], look.color, look.thickness)
    if is_drawing_landmarks and landmark_drawing_spec:
        for index, place in places.items():
            look = _look(landmark_drawing_spec, index)
            border = max(look.circle_radius + 1, int(look.circle_radius * 1.2))
            cv2.circle(image, place, border, WHITE_COLOR, look.thickness)
            cv2.circle(image, place, look.circle_radius, look.color, look.thickness)


def _places(points: NormalizedLandmarkList, width: int, height: int) -> dict[int, tuple[int, int]]:
    places = {}
    for index, point in enumerate(points.landmark):
        if _is_hidden(point) or not (_is_share(point.x) and _is_share(point.y)):
            continue
        places[index] = (
            min(math.floor(point.x * width), width - 1),
            min(math.floor(point.y * height), height - 1),
        )
    return places


def _is_hidden(point: NormalizedLandmark) -> bool:
    return any(
        point.HasField(name) and getattr(point, name) < _LEAST_SEEN for name in ("visibility", "presence")
    )


def _is_share(value: float) -> bool:
    return 0 <= value <= 1 or math.isclose(value, 1)


def _joined(edges: Iterable[Edge], places: Mapping[int, object], count: int) -> Iterable[Edge]:
    for start, end in edges:
        if not (0 <= start < count and 0 <= end < count):
            raise DataError(f"the connection {start}–{end} leads out of the {count} landmarks")
        if start in places and end in places:
            yield start, end


def _look(spec: DrawingSpec | Mapping[Any, DrawingSpec], key: object) -> DrawingSpec:
    return spec[key] if isinstance(spec, Mapping) else spec
