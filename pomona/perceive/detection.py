"""Single-shot detectors: anchors, decoding, weighted suppression, as in BlazeFace (arXiv:1907.05047)."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.logistic import logistic
from pomona.perceive.model import Model
from pomona.perceive.region import Region

SAME_OBJECT = 0.3
"""Boxes that overlap by more than this share of their union are of one object."""


@dataclass(frozen=True)
class Detection:
    """One object: its box and key points in pixels of the frame, and its score, 0 to 1."""

    box: Float[np.ndarray, "4"]  # left, top, right, bottom, along the axes of the region searched
    points: Float[np.ndarray, "point 2"]
    score: float


@dataclass(frozen=True)
class Grid:
    """Where a detector's answers lie: for each stride, in order, how many a cell."""

    strides: tuple[int, ...]
    cell_anchors: int = 2  # of one layer; layers of one stride share its cells


POSE_GRID = Grid((8, 16, 32, 32, 32))
FACE_GRID = Grid((8, 16, 16, 16))
FACE_FULL_GRID = Grid((4,), cell_anchors=1)
PALM_GRID = Grid((8, 16, 16, 16))


def detect(model: Model, grid: Grid, image: np.ndarray, region: Region, threshold: float) -> list[Detection]:
    """The objects in a region of the frame whose score is at least `threshold`, best first."""
    search = region.padded(model.height / model.width)
    raw, logits = model.run(image, search, (0, 1))
    scores = logistic(logits[0, :, 0].astype(float))
    found = np.flatnonzero(scores >= threshold)
    if not len(found):
        return []
    anchors = _anchors(grid, model.width)[found]
    rows = raw[0, found].astype(float) / model.width
    boxes = _boxes(rows, anchors)
    points = rows[:, 4:].reshape(len(found), -1, 2) + anchors[:, None]
    real = (rows[:, 2] >= 0) & (rows[:, 3] >= 0)
    merged = suppress(boxes[real], points[real], scores[found][real])
    return [
        Detection(search.project(box.reshape(2, 2)).reshape(4), search.project(marks), score)
        for box, marks, score in merged
    ]


def suppress(
    boxes: Float[np.ndarray, "box 4"],
    points: Float[np.ndarray, "box point 2"],
    scores: Float[np.ndarray, " box"],
) -> list[tuple[Float[np.ndarray, "4"], Float[np.ndarray, "point 2"], float]]:
    """One (box, points, score) an object, best first.

    The best box takes all that overlap it; box and points are their means by score, the score is the best's.
    """
    left = np.argsort(-scores, kind="stable")
    merged = []
    while len(left):
        best = left[0]
        same = overlaps(boxes[best], boxes[left]) > SAME_OBJECT
        same[0] = True
        group = left[same]
        share = scores[group] / scores[group].sum()
        merged.append((share @ boxes[group], np.tensordot(share, points[group], 1), float(scores[best])))
        left = left[~same]
    return merged


def overlaps(box: Float[np.ndarray, "4"], boxes: Float[np.ndarray, "box 4"]) -> Float[np.ndarray, " box"]:
    """Intersection over union of one box with each of many; boxes are left, top, right, bottom."""
    sides = np.clip(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0, None)
    shared = sides[:, 0] * sides[:, 1]
    total = _area(box[None]) + _area(boxes) - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _boxes(rows: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    middle, half = rows[:, :2] + anchors, rows[:, 2:4] / 2
    return np.concatenate([middle - half, middle + half], axis=1)


@functools.cache
def _anchors(grid: Grid, size: int) -> Float[np.ndarray, "anchor 2"]:
    """Centres of the anchors in units of the input; every anchor's side is the whole input."""
    centres = []
    for stride in dict.fromkeys(grid.strides):
        cells = math.ceil(size / stride)
        middles = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middles, middles, indexing="ij")
        here = np.stack([x.ravel(), y.ravel()], axis=1)
        centres.append(np.repeat(here, grid.strides.count(stride) * grid.cell_anchors, axis=0))
    return np.concatenate(centres)
