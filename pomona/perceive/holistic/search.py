"""Where in a frame there may be people: regions to read a pose in, likeliest first, and what proves them."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pomona.perceive.detection import FACE_FULL_GRID, FACE_GRID, detect
from pomona.perceive.holistic.face import detected_region, find_faces, head_region, read_face
from pomona.perceive.holistic.models import face_landmarks, far_faces, near_faces, pose_detector
from pomona.perceive.holistic.pose import Pose, body_region, find_people, whole
from pomona.perceive.model import Model
from pomona.perceive.region import Region

FAINT = 0.3
"""The least score of a body or a face that is worth a look where nothing better is found."""

FACE_THERE = 0.5
"""The least score of a detected face on a body that needs one."""

FACE_SURE = 0.8
"""The least score of its landmarks: circuit boards have faces too, but none above 0.3."""

_MOST_TILES = 12  # along a side
_BODY_BELOW_EYES, _BODY_SIZE = 3.2, 9.0  # in widths of the face, measured on people who stand and sit


@dataclass(frozen=True)
class Candidate:
    """A region that may hold a person, and what proves it: a pose, a sure one, or a sure one with a face."""

    region: Region
    proof: Literal["pose", "sure pose", "face"]


class PeopleSearch:
    """Finds regions that may hold people; loads the models that it comes to need."""

    def __init__(self, threshold: float):
        self._threshold = threshold
        self._detector = pose_detector()

    def likely(self, image: np.ndarray) -> Iterator[Candidate]:
        """The people whom the detector sees in the whole frame."""
        for found in find_people(self._detector, image, self._threshold):
            yield Candidate(body_region(*found.points[:2]), "pose")

    def hidden(self, image: np.ndarray) -> Iterator[Candidate]:
        """People whom the detector overlooks in the whole frame: faint ones, in parts of it, and below faces.

        MediaPipe finds nobody in a photograph of two men cut off at the waist; both are here.
        """
        for region in (whole(image), *_tiles(image, 1.0)):
            for found in find_people(self._detector, image, FAINT, region):
                proof = "sure pose" if found.score >= self._threshold else "face"
                yield Candidate(body_region(*found.points[:2]), proof)
        for found in detect(self._far_faces, FACE_FULL_GRID, image, whole(image), FAINT):
            x, y = found.points[:2].mean(axis=0)
            width = found.box[2] - found.box[0]
            side = float(width * _BODY_SIZE)
            yield Candidate(Region(float(x), float(y + width * _BODY_BELOW_EYES), side, side), "face")

    def small(self, image: np.ndarray, turn: int | None = None) -> Iterator[Candidate]:
        """People far away, as on a street seen from above: those whom a small part of the frame holds whole.

        Looks at every part, or with a `turn` at one: whoever counts turns looks everywhere in the end.
        """
        tiles = _tiles(image, 0.5)
        for tile in tiles if turn is None else [tiles[turn % len(tiles)]]:
            for found in find_people(self._detector, image, self._threshold, tile):
                region = body_region(*found.points[:2])
                if region.width <= tile.width:
                    yield Candidate(region, "sure pose")

    def has_face(self, image: np.ndarray, pose: Pose) -> bool:
        """Whether the body has a face: what only looks like a body, a logo or a cell, has none."""
        faces = find_faces(self._near_faces, FACE_GRID, image, head_region(pose.points), FACE_THERE)
        if not faces:
            return False
        return read_face(self._face_landmarks, image, detected_region(faces[0])).score > FACE_SURE

    @functools.cached_property
    def _far_faces(self) -> Model:
        return far_faces()

    @functools.cached_property
    def _near_faces(self) -> Model:
        return near_faces()

    @functools.cached_property
    def _face_landmarks(self) -> Model:
        return face_landmarks()


def _tiles(image: np.ndarray, share: float) -> list[Region]:
    """Squares that cover the frame, each half over the next; their side is a share of its shorter one.

    In a frame that is very long they are larger, so that they stay a few.
    """
    height, width = image.shape[:2]
    side = max(min(height, width) * share, 2 * max(height, width) / (_MOST_TILES + 1))
    return [Region(x, y, side, side) for y in _middles(height, side) for x in _middles(width, side)]


def _middles(length: float, side: float) -> list[float]:
    """Middles of tiles along a side of the frame, at most half a tile apart."""
    count = math.ceil(2 * (length - side) / side - 1e-9) + 1
    return np.linspace(side / 2, length - side / 2, count).tolist() if count > 1 else [length / 2]
