"""A mask as a tint over the picture."""

import numpy as np
from jaxtyping import UInt8

from pomona.perceive.draw.lines import opencv
from pomona.perceive.draw.palette import Colour

STRENGTH = 0.35
"""How much of the colour covers the person."""


def tint(canvas: UInt8[np.ndarray, "height width 3"], mask: np.ndarray, colour: Colour) -> None:
    """Mixes `colour` into `canvas` where the mask (height by width, 255 is the person) says."""
    if mask.shape != canvas.shape[:2]:
        mask = opencv().resize(mask, canvas.shape[1::-1])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    weight = (mask[box].astype(np.uint16) * round(STRENGTH * 256) // 255)[:, :, None]
    mixed = canvas[box] * (256 - weight) + np.array(colour, np.uint16) * weight
    canvas[box] = (mixed >> 8).astype(np.uint8)
