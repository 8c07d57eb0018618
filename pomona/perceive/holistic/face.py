"""One face: its region from the pose, a finer one from the face detector or the last frame, 468 landmarks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.detection import Detection, Grid, detect
from pomona.perceive.logistic import logistic
from pomona.perceive.model import Model
from pomona.perceive.refine import AttentionMesh
from pomona.perceive.region import Region, heading

LANDMARKS = 468

_POSE_FACE = slice(0, 11)  # the pose's landmarks on the face
_POSE_LEFT_EYE, _POSE_RIGHT_EYE = 2, 5
_DETECTED_RIGHT_EYE, _DETECTED_LEFT_EYE = 0, 1
_OUTER_RIGHT_EYE, _OUTER_LEFT_EYE = 33, 263


@dataclass(frozen=True)
class Face:
    """One face in one frame; x, y and z in pixels."""

    region: Region  # that it was found in
    points: Float[np.ndarray, "landmark 3"]
    score: float


def head_region(points: Float[np.ndarray, "33 axis"]) -> Region:
    """Roughly where the face is, from the pose."""
    head = points[_POSE_FACE, :2]
    turn = heading(points[_POSE_RIGHT_EYE, :2], points[_POSE_LEFT_EYE, :2], 0.0)
    return upright_box(head, turn).transformed(3.0)


def upright_box(points: Float[np.ndarray, "point 2"], rotation: float) -> Region:
    """The box of points along the frame's axes, then said to be turned, as MediaPipe does for faces."""
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = (low + high) / 2
    return Region(float(x), float(y), float(high[0] - low[0]), float(high[1] - low[1]), rotation)


def find_faces(
    model: Model, grid: Grid, image: np.ndarray, region: Region, threshold: float
) -> list[Detection]:
    """The faces in a region of the frame, best first."""
    return detect(model, grid, image, region, threshold)


def detected_region(detection: Detection) -> Region:
    """The face's region from a detected face."""
    points = detection.points
    turn = heading(points[_DETECTED_RIGHT_EYE], points[_DETECTED_LEFT_EYE], 0.0)
    return upright_box(points, turn).transformed(2.0, shift_y=-0.1)


def tracked_region(points: Float[np.ndarray, "landmark axis"]) -> Region:
    """The face's region from its landmarks one frame before."""
    mesh = points[:LANDMARKS, :2]
    return upright_box(mesh, heading(mesh[_OUTER_RIGHT_EYE], mesh[_OUTER_LEFT_EYE], 0.0)).transformed(1.5)


def read_face(model: Model, image: np.ndarray, region: Region) -> Face:
    """The face in a region, whether or not there is one: `score` says."""
    raw, logit = model.run(image, region, (0, 1))
    rows = raw.reshape(LANDMARKS, 3).astype(float) / model.width
    points = np.concatenate([region.project(rows[:, :2]), rows[:, 2:] * region.width], axis=1)
    return Face(region, points, float(logistic(logit.reshape(-1)[0].astype(float))))


def read_refined_face(model: AttentionMesh, image: np.ndarray, region: Region) -> Face:
    """The face in a region with eyes and lips refined, and the irises after the mesh."""
    points, score = model.read(image, region)
    return Face(region, points, score)
