"""Where in a frame there may be people: regions to read a pose in, the likeliest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pomona.perceive.detection import FACE_FULL_GRID, detect
from pomona.perceive.holistic.pose import body_region, find_people, whole
from pomona.perceive.model import Model
from pomona.perceive.region import Region

FAINT = 0.3
"""The least score of a body or a face that is worth a look where nothing better is found."""

_TILES = 3
_BODY_BELOW_EYES, _BODY_SIZE = 3.2, 9.0  # in widths of the face, measured on people who stand and sit


@dataclass(frozen=True)
class Candidate:
    """A region that may hold a person; one that is `faint` must prove it with a better pose."""

    region: Region
    faint: bool


def likely_people(detector: Model, image: np.ndarray, threshold: float) -> Iterator[Candidate]:
    """The people whom the detector sees in the whole frame."""
    for found in find_people(detector, image, threshold):
        yield Candidate(body_region(*found.points[:2]), faint=False)


def hidden_people(detector: Model, faces: Callable[[], Model], image: np.ndarray) -> Iterator[Candidate]:
    """People whom the detector overlooks in the whole frame: faint ones, in parts of it, and behind faces.

    MediaPipe finds nobody in a photograph of two men cut off at the waist; both are here.
    """
    for region in (whole(image), *_tiles(image)):
        for found in find_people(detector, image, FAINT, region):
            yield Candidate(body_region(*found.points[:2]), faint=True)
    for found in detect(faces(), FACE_FULL_GRID, image, whole(image), FAINT):
        x, y = found.points[:2].mean(axis=0)
        width = found.box[2] - found.box[0]
        side = float(width * _BODY_SIZE)
        yield Candidate(Region(float(x), float(y + width * _BODY_BELOW_EYES), side, side), faint=True)


def _tiles(image: np.ndarray) -> list[Region]:
    """Squares on the shorter side that cover the frame, each half over the next."""
    height, width = image.shape[:2]
    side = min(height, width)
    along = np.linspace(side / 2, max(height, width) - side / 2, _TILES)
    if width >= height:
        return [Region(float(x), height / 2, side, side) for x in along]
    return [Region(width / 2, float(y), side, side) for y in along]
