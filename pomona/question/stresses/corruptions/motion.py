"""Streaks: every pixel smeared along a line, the more the nearer."""

import numpy as np
from jaxtyping import Float


def streaked(
    images: Float[np.ndarray, "batch height width channel"],
    radius: int,
    sigma: float,
    degrees: Float[np.ndarray, " batch"],
) -> Float[np.ndarray, "batch height width channel"]:
    """The images smeared in one direction each, over 2 radius + 1 pixels with weights of half a Gaussian.

    The edge goes on outside. Where the streak is longer than the image, its end is cut off, as in the peer.
    """
    num_images, height, width, _ = images.shape
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    down, right = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    rows, columns, every = np.arange(height), np.arange(width), np.arange(num_images)[:, None, None]
    out = np.zeros_like(images)
    for place, weight in enumerate(weights):
        down_by = np.ceil(place * down - 0.5).astype(int)
        right_by = np.ceil(place * right - 0.5).astype(int)
        inside = (np.abs(down_by) < height) & (np.abs(right_by) < width)
        here = np.clip(rows + down_by[:, None], 0, height - 1)[:, :, None]
        there = np.clip(columns + right_by[:, None], 0, width - 1)[:, None, :]
        out += (weight * inside).astype(images.dtype)[:, None, None, None] * images[every, here, there]
    return out
