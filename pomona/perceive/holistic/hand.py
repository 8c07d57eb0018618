"""One hand: its region from the arm, a finer one from the re-crop model or the last frame, 21 landmarks."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.detection import PALM_GRID, Detection, detect
from pomona.perceive.holistic.pose import turned_about
from pomona.perceive.model import Model
from pomona.perceive.region import Region, heading

LEFT_ARM = (15, 17, 19)
RIGHT_ARM = (16, 18, 20)
"""Wrist, little finger and index finger among the landmarks of a pose."""

LANDMARKS = 21
WRIST = 0

_UPRIGHT = math.pi / 2
_DEPTH = 0.4  # the model's unit of depth, in its input's widths
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
_INDEX_KNUCKLE, _MIDDLE_KNUCKLE, _RING_KNUCKLE = 5, 9, 13


@dataclass(frozen=True)
class Hand:
    """One hand in one frame; x, y and z in pixels, z from the wrist."""

    region: Region  # that it was found in
    points: Float[np.ndarray, "21 3"]
    world: Float[np.ndarray, "21 3"]  # metres, from the model's own origin, in the frame's axes
    score: float


def arm_region(points: Float[np.ndarray, "33 axis"], arm: tuple[int, int, int]) -> Region:
    """Roughly where the hand is, from the arm's wrist and fingers."""
    wrist, little, index = points[list(arm), :2]
    middle = (2 * index + little) / 3
    side = 2 * math.hypot(*(middle - wrist))
    rough = Region(float(middle[0]), float(middle[1]), side, side, heading(wrist, middle, _UPRIGHT))
    return rough.transformed(2.7, shift_y=-0.1)


def recropped(model: Model, image: np.ndarray, rough: Region) -> Region:
    """The hand's region that the re-crop model finds in a rough one."""
    (raw,) = model.run(image, rough, (0,))
    centre, edge = rough.project(raw.reshape(2, 2).astype(float) / model.width)
    side = 2 * math.hypot(*(edge - centre))
    exact = Region(float(centre[0]), float(centre[1]), side, side, heading(centre, edge, -_UPRIGHT))
    return exact.transformed(1.0, shift_y=-0.1)


def palm_region(detection: Detection) -> Region:
    """The hand's region from a detected palm."""
    wrist, middle = detection.points[0], detection.points[2]
    turn = heading(wrist, middle, _UPRIGHT)
    left, top, right, bottom = detection.box
    palm = Region((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, turn)
    return palm.transformed(2.6, shift_y=-0.5)


def find_palms(model: Model, image: np.ndarray, region: Region, threshold: float) -> list[Detection]:
    """The palms in an upright region of the frame, best first."""
    return detect(model, PALM_GRID, image, region, threshold)


def tracked_region(points: Float[np.ndarray, "21 axis"]) -> Region:
    """The hand's region from its landmarks one frame before."""
    wrist, middle = points[WRIST, :2], points[_MIDDLE_KNUCKLE, :2]
    between = (points[_INDEX_KNUCKLE, :2] + points[_RING_KNUCKLE, :2]) / 2
    turn = heading(wrist, (between + middle) / 2, _UPRIGHT)
    return tight_box(points[_PALM, :2], turn).transformed(2.0, shift_y=-0.1)


def tight_box(points: Float[np.ndarray, "point 2"], rotation: float) -> Region:
    """The smallest region of a given rotation that holds all points."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    about = Region(float(middle[0]), float(middle[1]), 1.0, 1.0, rotation)
    own = about.inside(points)
    low, high = own.min(axis=0), own.max(axis=0)
    x, y = about.project((low + high)[None] / 2 + 0.5)[0]
    return Region(float(x), float(y), float(high[0] - low[0]), float(high[1] - low[1]), rotation)


def read_hand(model: Model, image: np.ndarray, region: Region) -> Hand:
    """The hand in a region, whether or not there is one: `score` says."""
    raw, score, metres = model.run(image, region, (0, 1, 3))
    rows = raw.reshape(LANDMARKS, 3).astype(float) / model.width
    points = np.concatenate([region.project(rows[:, :2]), rows[:, 2:] * (region.width / _DEPTH)], axis=1)
    world = turned_about(metres.reshape(LANDMARKS, 3).astype(float), region.rotation)
    return Hand(region, points, world, float(score[0, 0]))
