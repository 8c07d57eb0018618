"""The parts of a frame put together: a record a person."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from pomona.perceive.holistic.certainty import facing, in_frame
from pomona.perceive.holistic.depth import body_depth, hand_depth, held_by
from pomona.perceive.holistic.faces import FoundFace
from pomona.perceive.holistic.hand import LEFT_ARM, RIGHT_ARM
from pomona.perceive.holistic.hands import FoundHand
from pomona.perceive.holistic.people import Person
from pomona.perceive.holistic.record import FACE_LANDMARKS, MESH_LANDMARKS, HolisticRecord
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.region import Region

NOTHING: Mapping = MappingProxyType({})
"""What was found of a part that is not looked for."""

_NOSE = 0
_NOSE_TIP = 1  # of the face mesh


def assemble(
    settings: HolisticSettings,
    image: np.ndarray,
    people: tuple[Person, ...],
    frame: int,
    time_s: float,
    left_hands: Mapping[int, FoundHand] = NOTHING,
    right_hands: Mapping[int, FoundHand] = NOTHING,
    faces: Mapping[int, FoundFace] = NOTHING,
    masks: Mapping[int, np.ndarray] = NOTHING,
) -> tuple[HolisticRecord, ...]:
    """The records of one frame, by identity."""
    height, width = image.shape[:2]
    records = []
    for person in people:
        key = person.identity
        pose = person.points if settings.faithful else _marked_pose(person, width, height)
        parts = {"left_hand": left_hands.get(key), "right_hand": right_hands.get(key)}
        hands = {
            name: _hand(settings, found, pose, arm[0], width, height) if found else None
            for (name, found), arm in zip(parts.items(), (LEFT_ARM, RIGHT_ARM), strict=True)
        }
        worlds = {
            f"{name}_world": held_by(found.world, person.world[arm[0]]).astype(np.float32) if found else None
            for (name, found), arm in zip(parts.items(), (LEFT_ARM, RIGHT_ARM), strict=True)
        }
        face = faces.get(key)
        shown = "pose" in settings.parts
        records.append(
            HolisticRecord(
                person=key,
                frame=frame,
                time_s=time_s,
                width=width,
                height=height,
                pose=pose.astype(np.float32) if shown else None,
                pose_world=person.world.astype(np.float32) if shown else None,
                face=_face(settings, face, pose, width, height) if face else None,
                score=person.pose.score,
                mask=masks.get(key),
                regions=_regions(person, parts, face),
                **hands,
                **worlds,
            )
        )
    return tuple(records)


def _marked_pose(person: Person, width: int, height: int) -> np.ndarray:
    """The pose with its depth in the common scale, its points out of the frame marked."""
    pose = person.points.copy()
    pose[:, 2] = body_depth(pose, person.world)
    pose[:, 3:] *= in_frame(pose, width, height)[:, None]
    return pose


def _hand(
    settings: HolisticSettings, found: FoundHand, pose: np.ndarray, wrist: int, width: int, height: int
) -> np.ndarray:
    confidence = found.hand.score * in_frame(found.points, width, height)
    hand = np.concatenate([found.points, confidence[:, None]], axis=1)
    if not settings.faithful:
        hand[:, 2] = hand_depth(found.points, found.world, pose[wrist, 2])
    return hand.astype(np.float32)


def _face(
    settings: HolisticSettings, found: FoundFace, pose: np.ndarray, width: int, height: int
) -> np.ndarray:
    points = found.points
    confidence = found.face.score * in_frame(points, width, height)
    confidence[:MESH_LANDMARKS] *= facing(points)
    face = np.full((FACE_LANDMARKS, 4), np.nan, np.float32)
    face[: len(points), :3] = points
    face[: len(points), 3] = confidence
    if not settings.faithful:
        face[:, 2] += pose[_NOSE, 2] - points[_NOSE_TIP, 2]
    return face


def _regions(
    person: Person, hands: Mapping[str, FoundHand | None], face: FoundFace | None
) -> dict[str, Region]:
    regions = {"pose": person.pose.region}
    regions.update({name: found.hand.region for name, found in hands.items() if found})
    if face:
        regions["face"] = face.face.region
    return regions
