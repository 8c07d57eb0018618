"""People drawn over their picture."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from pomona.perceive.draw.lines import draw_lines, draw_points, stroke_width, width_for
from pomona.perceive.draw.mask import tint
from pomona.perceive.draw.palette import (
    BACKGROUND,
    FACE_COLOURS,
    HAND_COLOURS,
    LEFT,
    MESH,
    MIDDLE,
    RIGHT,
    Colour,
    person_colour,
)
from pomona.perceive.holistic.landmarks import (
    FACE_CONTOURS,
    HAND_CONNECTIONS,
    POSE_CONNECTIONS,
    POSE_NAMES,
    Edge,
    face_mesh_edges,
)
from pomona.perceive.holistic.record import HolisticRecord, Observation
from pomona.perceive.holistic.settings import PARTS

LEAST_CONFIDENCE = 0.5
"""Below it a point is drawn faintly."""

MESH_PIXELS = 120
"""A face narrower than this is drawn without its mesh, which would hide it."""

BODY_LINE, HAND_LINE, FACE_LINE = 0.008, 0.02, 0.006
"""The widths of lines as shares of what they draw; never wider than suits the picture."""

HEAD = range(11)
HANDS_OF_POSE = {"left_hand": (17, 19, 21), "right_hand": (18, 20, 22)}

Image = UInt8[np.ndarray, "height width 3"]
Points = Float[np.ndarray, "point 2"]


def draw(image: Image, observation: Observation, *, parts: Sequence[str] = PARTS) -> Image:
    """A copy of an RGB picture with the people of `observation` drawn over it.

    Left is orange and right is blue, as the person has them; points that are hidden or uncertain are faint.
    Masks are drawn where records have them. `parts` leaves out pose, hands or face.
    """
    canvas = np.array(image, order="C")
    for number, record in enumerate(observation.people):
        if record.mask is not None:
            tint(canvas, record.mask, person_colour(record.person or number))
    for record in observation.people:
        if "face" in parts and record.face is not None:
            _draw_face(canvas, record.face)
        if "pose" in parts and record.pose is not None:
            _draw_pose(canvas, record, record.pose, parts)
        if "hands" in parts:
            for name, hand in (("left_hand", record.left_hand), ("right_hand", record.right_hand)):
                if hand is not None:
                    _draw_hand(canvas, name, hand)
    if len(observation.people) > 1:
        _draw_numbers(canvas, observation)
    return canvas


def _draw_pose(canvas: Image, record: HolisticRecord, pose: np.ndarray, parts: Sequence[str]) -> None:
    drawn_better: set[int] = set()
    if "face" in parts and record.face is not None:
        drawn_better.update(HEAD)
    for name, points in HANDS_OF_POSE.items():
        if "hands" in parts and getattr(record, name) is not None:
            drawn_better.update(points)
    is_sure = pose[:, 3] >= LEAST_CONFIDENCE
    width = width_for(pose[:, :2], canvas, BODY_LINE)
    for colour, edges in _by_side(POSE_CONNECTIONS).items():
        kept = [edge for edge in edges if not drawn_better & {*edge}]
        draw_lines(canvas, pose[:, :2], kept, colour, width, is_sure=is_sure, outline=BACKGROUND)
    for colour, points in _points_by_side().items():
        body = [point for point in points if point not in drawn_better and point not in HEAD]
        draw_points(canvas, pose[:, :2], body, colour, width, is_sure=is_sure, outline=BACKGROUND)


def _draw_hand(canvas: Image, name: str, hand: np.ndarray) -> None:
    width = width_for(hand[:, :2], canvas, HAND_LINE)
    is_sure = hand[:, 3] >= LEAST_CONFIDENCE
    colour, points_colour = HAND_COLOURS[name]
    draw_lines(canvas, hand[:, :2], HAND_CONNECTIONS, colour, width, is_sure=is_sure, outline=BACKGROUND)
    draw_points(canvas, hand[:, :2], range(len(hand)), points_colour, width, is_sure=is_sure)


def _draw_face(canvas: Image, face: np.ndarray) -> None:
    points = face[:, :2]
    is_sure = face[:, 3] >= LEAST_CONFIDENCE
    if np.ptp(points[:468, 0]) >= MESH_PIXELS:
        draw_lines(canvas, points, face_mesh_edges(), MESH, 1, is_sure=np.zeros(len(face), bool))
    width = width_for(points, canvas, FACE_LINE)
    for name, edges in FACE_CONTOURS.items():
        draw_lines(canvas, points, edges, FACE_COLOURS[name], width, is_sure=is_sure)


def _draw_numbers(canvas: Image, observation: Observation) -> None:
    import cv2

    size = stroke_width(canvas) * 0.3
    for record in observation.people:
        if record.pose is None or not np.isfinite(record.pose[:11, :2]).all():
            continue
        head = record.pose[:11, :2]
        place = int(head[:, 0].mean()), int(head[:, 1].min() - np.ptp(head[:, 0]) - 4)
        for colour, width in ((BACKGROUND, 4), (person_colour(record.person), 2)):
            cv2.putText(
                canvas, str(record.person), place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA
            )


def _side(name: str) -> Colour:
    return LEFT if "left" in name else RIGHT if "right" in name else MIDDLE


def _by_side(edges: Sequence[Edge]) -> dict[Colour, list[Edge]]:
    sides: dict[Colour, list[Edge]] = {MIDDLE: [], LEFT: [], RIGHT: []}
    for first, second in edges:
        colours = {_side(POSE_NAMES[first]), _side(POSE_NAMES[second])}
        sides[colours.pop() if len(colours) == 1 else MIDDLE].append((first, second))
    return sides


def _points_by_side() -> dict[Colour, list[int]]:
    sides: dict[Colour, list[int]] = {MIDDLE: [], LEFT: [], RIGHT: []}
    for index, name in enumerate(POSE_NAMES):
        sides[_side(name)].append(index)
    return sides
