"""The faces of the people in a frame: found on their heads, followed, steadied."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from pomona.perceive.detection import FACE_FULL_GRID, FACE_GRID
from pomona.perceive.holistic.face import (
    Face,
    detected_region,
    find_faces,
    head_region,
    read_face,
    read_refined_face,
    tracked_region,
)
from pomona.perceive.holistic.models import face_landmarks, far_faces, near_faces, refined_face_landmarks
from pomona.perceive.holistic.people import Person
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.holistic.tracking import FACE_TOLERANCE, still_there
from pomona.perceive.region import Region, settled
from pomona.perceive.smoothing import OneEuro, OneEuroState, steady

THERE = 0.5
"""The least score of a face that is there."""

STEADY = OneEuro(min_cutoff=0.05, beta=40.0)

# the detector for far faces wants to see them smaller
_DETECTORS = {"short": (near_faces, FACE_GRID, 0.5, 1.0), "full": (far_faces, FACE_FULL_GRID, 0.6, 2.0)}


@dataclass(frozen=True)
class FoundFace:
    """One person's face in one frame, steadied, in pixels."""

    face: Face  # as the model gave it
    points: Float[np.ndarray, "landmark 3"]


@dataclass(frozen=True)
class FaceState:
    """What is kept of one face from frame to frame."""

    points: Float[np.ndarray, "landmark 3"] | None = None
    region: Region | None = None  # that they were found in
    steady: OneEuroState | None = None


FaceStates = Mapping[int, FaceState]
"""By the identity of the person."""


class FaceFollower:
    """Finds and follows faces. Holds models, no state: that is given and returned."""

    def __init__(self, settings: HolisticSettings):
        self._settings = settings
        load_detector, self._grid, self._threshold, self._around = _DETECTORS[settings.face_detector]
        self._detector = load_detector()
        self._read = _face_reader(settings)

    def follow(
        self, image: np.ndarray, time_s: float, people: tuple[Person, ...], state: FaceStates
    ) -> tuple[dict[str, dict[int, FoundFace]], FaceStates]:
        """The faces by the identity of their people, and the new state."""
        found: dict[int, FoundFace] = {}
        after: dict[int, FaceState] = {}
        for person in people:
            before = state.get(person.identity, FaceState())
            face = self._find(image, person, before)
            if face is not None:
                found[person.identity], after[person.identity] = self._steadied(face, time_s, before)
        return {"faces": found}, after

    def _find(self, image: np.ndarray, person: Person, before: FaceState) -> Face | None:
        head = head_region(person.points)
        if self._settings.faithful:
            return self._find_as_mediapipe(image, head, before)
        if before.points is not None and not self._settings.still:
            tracked = tracked_region(before.points)
            if before.region is not None:
                tracked = settled(before.region, tracked)
            face = _there(self._read(image, tracked)) if _leads_to(head, tracked) else None
            if face is not None:
                return face
        region = self._detected(image, head)
        return None if region is None else _there(self._read(image, region))

    def _find_as_mediapipe(self, image: np.ndarray, head: Region, before: FaceState) -> Face | None:
        region = self._detected(image, head)
        if region is None:
            return None
        if before.points is not None:
            tracked = tracked_region(before.points)
            if still_there(tracked, before.points, region, FACE_TOLERANCE):
                region = tracked
        return _there(self._read(image, region))

    def _detected(self, image: np.ndarray, head: Region) -> Region | None:
        around = head.transformed(self._around)
        found = find_faces(self._detector, self._grid, image, around, self._threshold)
        return detected_region(found[0]) if found else None

    def _steadied(self, face: Face, time_s: float, before: FaceState) -> tuple[FoundFace, FaceState]:
        if self._settings.faithful or self._settings.still or not self._settings.smooth:
            return FoundFace(face, face.points), FaceState(face.points, face.region)
        points, state = steady(STEADY, face.points, time_s, before.steady, face.region.width)
        return FoundFace(face, points), FaceState(points, face.region, state)


def _face_reader(settings: HolisticSettings) -> Callable[[np.ndarray, Region], Face]:
    if settings.irises:
        return partial(read_refined_face, refined_face_landmarks())
    return partial(read_face, face_landmarks())


def _there(face: Face) -> Face | None:
    return face if face.score > THERE else None


def _leads_to(head: Region, tracked: Region) -> bool:
    """Whether a face's last region is still where the head is."""
    x, y = np.abs(head.inside(np.array([[tracked.x, tracked.y]]))[0])
    return bool(max(x, y) < 0.25) and 0.2 < tracked.width / head.width < 1.2
