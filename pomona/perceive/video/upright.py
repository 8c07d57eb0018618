"""Turning frames as the display matrix of their video says: phones film sideways and note it."""

import numpy as np
from jaxtyping import Int

from pomona.perceive.video.frame import Image

Quarter = tuple[bool, bool, bool]
"""Whether to swap rows and columns, then to mirror the columns, then the rows."""

UPRIGHT: Quarter = (False, False, False)


def quarter_of(matrix: Int[np.ndarray, " 9"] | None) -> Quarter:
    """The turn nearest to a display matrix (16.16 fixed point, row by row), by quarters, mirrored or not.

    A point (x, y) of the video is shown at (m0 x + m3 y, m1 x + m4 y).
    """
    if matrix is None or not matrix[[0, 1, 3, 4]].any():
        return UPRIGHT
    x_to_x, x_to_y, y_to_x, y_to_y = matrix[[0, 1, 3, 4]]
    if abs(x_to_y) > abs(x_to_x):
        return True, bool(y_to_x < 0), bool(x_to_y < 0)
    return False, bool(x_to_x < 0), bool(y_to_y < 0)


def turn(image: Image, quarter: Quarter) -> Image:
    """The picture as it is shown."""
    swap, mirror_columns, mirror_rows = quarter
    if swap:
        image = image.transpose(1, 0, 2)
    if mirror_columns:
        image = image[:, ::-1]
    if mirror_rows:
        image = image[::-1]
    return np.ascontiguousarray(image)
