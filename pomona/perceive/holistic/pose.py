"""The pose of one person: BlazePose's landmark model, its heat-map refinement, the next frame's region."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.detection import POSE_GRID, Detection, detect
from pomona.perceive.logistic import logistic
from pomona.perceive.model import Model
from pomona.perceive.region import Region, heading

LANDMARKS = 33
AUXILIARY = slice(33, 35)
"""Two further points: the middle of the hips, and one on the circle around the whole body."""

_POINTS = 39  # that the model gives; the last four are of no use
_CELLS = 64
_WINDOW = np.arange(-4, 5)
_UPRIGHT = math.pi / 2
_LANDMARKS_OUT, _SCORE_OUT, _MASK_OUT, _HEAT_OUT, _WORLD_OUT = range(5)


@dataclass(frozen=True)
class Pose:
    """One person's pose in one frame; x, y and z in pixels."""

    region: Region  # that it was found in
    points: Float[np.ndarray, "33 5"]  # x, y, z, visibility, presence
    auxiliary: Float[np.ndarray, "2 2"]
    world: Float[np.ndarray, "33 3"]  # metres
    score: float
    mask: Float[np.ndarray, "256 256"] | None = None  # logits of the region's pixels


def find_people(
    model: Model, image: np.ndarray, threshold: float, region: Region | None = None
) -> list[Detection]:
    """The people in a frame, or in a region of it, best first."""
    return detect(model, POSE_GRID, image, region or whole(image), threshold)


def whole(image: np.ndarray) -> Region:
    """The region that is the frame."""
    height, width = image.shape[:2]
    return Region(width / 2, height / 2, width, height)


def body_region(hips: np.ndarray, edge: np.ndarray) -> Region:
    """The region of a body from the middle of its hips and a point on the circle around it."""
    side = 2 * math.hypot(*(edge - hips))
    upright = Region(float(hips[0]), float(hips[1]), side, side, heading(hips, edge, _UPRIGHT))
    return upright.transformed(1.25)


def read_pose(model: Model, image: np.ndarray, region: Region, *, mask: bool = False) -> Pose:
    """The pose in a region, whether or not there is one: `score` says."""
    wanted = (_LANDMARKS_OUT, _SCORE_OUT, _WORLD_OUT) + ((_MASK_OUT,) if mask else ())
    raw, score, metres, *logits = model.run(image, region, wanted)
    rows = raw.reshape(_POINTS, 5).astype(float)
    flat = refine(rows[:, :2] / model.width, model.view(_HEAT_OUT)[0])
    certain = logistic(rows[:, 3:])
    points = np.concatenate(
        [region.project(flat), rows[:, 2:3] * (region.width / model.width), certain], axis=1
    )
    return Pose(
        region=region,
        points=points[:LANDMARKS],
        auxiliary=points[AUXILIARY, :2],
        world=turned_about(metres.reshape(_POINTS, 3)[:LANDMARKS].astype(float), region.rotation),
        score=float(score[0, 0]),
        mask=logits[0][0, :, :, 0] if logits else None,
    )


def refine(
    points: Float[np.ndarray, "39 2"], heat: Float[np.ndarray, "64 64 39"]
) -> Float[np.ndarray, "39 2"]:
    """Points of the unit square moved to the centre of their heat, where it is warm enough.

    The centre is that of the 9 × 9 cells around the point, weighted by the sigmoid of the heat; a point moves
    when one of them reaches 0.5. MediaPipe 0.10.21 behaves as this; later sources say 7 × 7.
    """
    cells = np.trunc(points * _CELLS).astype(int)
    columns, rows = cells[:, :1] + _WINDOW, cells[:, 1:] + _WINDOW
    column_inside, row_inside = (columns >= 0) & (columns < _CELLS), (rows >= 0) & (rows < _CELLS)
    place = rows[:, :, None] * _CELLS + columns[:, None, :]
    logits = heat.reshape(-1).take(place * len(points) + np.arange(len(points))[:, None, None], mode="clip")
    warmth = logistic(logits)
    if not (column_inside.all() and row_inside.all()):
        warmth *= row_inside[:, :, None] & column_inside[:, None, :]
    middle = len(_WINDOW) // 2
    on_map = column_inside[:, middle] & row_inside[:, middle]
    moved = on_map & (warmth.reshape(len(points), -1).max(axis=1) >= 0.5)
    by_row, by_column = warmth.sum(axis=2), warmth.sum(axis=1)
    total = np.where(moved, by_row.sum(axis=1), 1)
    centre = np.stack([(by_column * columns).sum(axis=1), (by_row * rows).sum(axis=1)], axis=1)
    return np.where(moved[:, None], centre / (total * _CELLS)[:, None], points)


def turned_about(points: Float[np.ndarray, "point 3"], rotation: float) -> Float[np.ndarray, "point 3"]:
    """Points in metres turned about the line of sight, from the axes of a region to those of the frame."""
    cosine, sine = math.cos(rotation), math.sin(rotation)
    return points @ np.array(((cosine, sine, 0), (-sine, cosine, 0), (0, 0, 1)))
