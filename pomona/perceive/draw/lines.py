"""Smooth lines and points at fractions of pixels; uncertain ones are faint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from pomona.foundation.errors import MissingExtraError
from pomona.perceive.draw.palette import Colour
from pomona.perceive.holistic.landmarks import Edge

FAINT = 0.35
"""How much of an uncertain line covers the picture."""

FRACTION_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""

Image = UInt8[np.ndarray, "height width 3"]
Points = Float[np.ndarray, "point 2"]


def stroke_width(image: Image) -> int:
    """The width in pixels of a limb's line in a picture of this size."""
    return max(1, round(min(image.shape[:2]) / 240))


def width_for(points: Points, image: Image, share: float) -> int:
    """A line's width for something this large: a share of its extent, within what suits the picture."""
    finite = points[np.isfinite(points).all(axis=1)]
    extent = float(np.ptp(finite, axis=0).max()) if len(finite) else 0.0
    return max(1, min(stroke_width(image), round(share * extent)))


def draw_lines(
    canvas: Image,
    points: Points,
    edges: Sequence[Edge] | Int[np.ndarray, "edge 2"],
    colour: Colour,
    width: int,
    *,
    is_sure: Bool[np.ndarray, " point"],
    outline: Colour | None = None,
) -> None:
    """Draws the edges between points into `canvas`; what is nowhere near the picture is left out."""
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    pairs = pairs[_is_near(points, canvas)[pairs].all(axis=1)]
    sure = np.asarray(is_sure[pairs].all(axis=1))
    grid = _grid(points)

    def strokes(picture: Image, chosen: np.ndarray) -> None:
        cv2 = opencv()
        lines = list(grid[chosen])
        for stroke, thickness in _strokes(colour, width, outline):
            cv2.polylines(picture, lines, False, stroke, thickness, cv2.LINE_AA, FRACTION_BITS)

    _apply(canvas, pairs, sure, strokes)


def draw_points(
    canvas: Image,
    points: Points,
    indices: Sequence[int],
    colour: Colour,
    radius: int,
    *,
    is_sure: Bool[np.ndarray, " point"],
    outline: Colour | None = None,
) -> None:
    """Draws the points of these indices into `canvas` as discs."""
    chosen = np.asarray(indices, np.int64).reshape(-1)
    chosen = chosen[_is_near(points, canvas)[chosen]]
    grid = _grid(points)

    def discs(picture: Image, some: np.ndarray) -> None:
        cv2 = opencv()
        for stroke, thickness in _strokes(colour, 2 * radius, outline):
            for x, y in grid[some]:
                size = max(1, thickness) * 2**FRACTION_BITS // 2
                cv2.circle(picture, (int(x), int(y)), size, stroke, -1, cv2.LINE_AA, FRACTION_BITS)

    _apply(canvas, chosen, is_sure[chosen], discs)


def opencv() -> Any:
    """The module cv2."""
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("opencv-python-headless", "perceive") from None
    return cv2


def _apply(canvas: Image, items: np.ndarray, sure: np.ndarray, paint: Any) -> None:
    if not sure.all():
        faint = canvas.copy()
        paint(faint, items[~sure])
        opencv().addWeighted(faint, FAINT, canvas, 1 - FAINT, 0, dst=canvas)
    if sure.any():
        paint(canvas, items[sure])


def _strokes(colour: Colour, width: int, outline: Colour | None) -> list[tuple[Colour, int]]:
    return [(colour, width)] if outline is None else [(outline, width + 2), (colour, width)]


def _is_near(points: Points, canvas: Image) -> Bool[np.ndarray, " point"]:
    height, width = canvas.shape[:2]
    margin = max(height, width)
    x, y = points[:, 0], points[:, 1]
    with np.errstate(invalid="ignore"):
        return (x > -margin) & (x < width + margin) & (y > -margin) & (y < height + margin)


def _grid(points: Points) -> Int[np.ndarray, "point 2"]:
    finite = np.nan_to_num(points.astype(float), nan=0.0, posinf=0.0, neginf=0.0)
    return np.rint(np.clip(finite, -1e6, 1e6) * 2**FRACTION_BITS).astype(np.int32)
