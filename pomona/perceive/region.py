"""A rotated rectangle in a frame: what is cropped for a model, and where its answer lies."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_REST_SHIFT, _REST_GROWTH, _REST_TURN = 0.02, 0.04, math.radians(2)


@dataclass(frozen=True)
class Region:
    """Centre and sides in pixels; rotation in radians, clockwise on the screen, in [-π, π)."""

    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0

    def project(self, points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Points of the frame in pixels, from points of the region in which it is the unit square."""
        right = (math.cos(self.rotation) * self.width, math.sin(self.rotation) * self.width)
        down = (-math.sin(self.rotation) * self.height, math.cos(self.rotation) * self.height)
        corner = (self.x - (right[0] + down[0]) / 2, self.y - (right[1] + down[1]) / 2)
        return points @ np.array((right, down)) + corner

    def corners(self) -> Float[np.ndarray, "4 2"]:
        """Top left, top right, bottom right and bottom left, as the region has them, in pixels."""
        return self.project(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float))

    def inside(self, points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Where points of the frame are in the region: (0, 0) is its centre, ±0.5 its sides."""
        cosine, sine = math.cos(self.rotation), math.sin(self.rotation)
        axes = ((cosine / self.width, -sine / self.height), (sine / self.width, cosine / self.height))
        return (points - (self.x, self.y)) @ np.array(axes)

    def transformed(self, scale: float, shift_x: float = 0.0, shift_y: float = 0.0) -> "Region":
        """The square on the longer side, moved by shares of the sides along them, then scaled."""
        cosine, sine = math.cos(self.rotation), math.sin(self.rotation)
        right, down = self.width * shift_x, self.height * shift_y
        side = max(self.width, self.height) * scale
        return Region(
            self.x + right * cosine - down * sine,
            self.y + right * sine + down * cosine,
            side,
            side,
            self.rotation,
        )

    def padded(self, aspect: float) -> "Region":
        """The region enlarged on its shorter side until height over width is `aspect`."""
        if self.height < self.width * aspect:
            return Region(self.x, self.y, self.width, self.width * aspect, self.rotation)
        return Region(self.x, self.y, self.height / aspect, self.height, self.rotation)


def settled(before: Region, after: Region) -> Region:
    """The region before, as long as the one after is nearly the same; else the one after.

    A crop that follows every tremble of the landmarks makes them tremble more, even on a picture that stands
    still.
    """
    apart = math.hypot(after.x - before.x, after.y - before.y)
    near = apart < _REST_SHIFT * before.width
    as_large = abs(after.width / before.width - 1) < _REST_GROWTH
    return (
        before if near and as_large and abs(turned(after.rotation - before.rotation)) < _REST_TURN else after
    )


def turned(angle: float) -> float:
    """The same angle in [-π, π)."""
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def heading(start: np.ndarray, end: np.ndarray, target: float) -> float:
    """The rotation of a region in which the vector from `start` to `end` points in the direction `target`.

    Directions are angles as mathematicians count them: 0 is right, π/2 is up.
    """
    return turned(target - math.atan2(-(end[1] - start[1]), end[0] - start[0]))
