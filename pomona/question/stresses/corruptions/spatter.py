"""Drops of water or splashes of mud on the lens."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.strength import strength
from pomona.question.stresses.corruptions.weather import LUMA

Pixels = Float[np.ndarray, "batch height width channel"]

WATER = np.array([175, 238, 238], np.float32) / 255
MUD = np.array([63, 42, 20], np.float32) / 255
FARTHEST = 20
"""Pixels from the edge of a drop after which it is no brighter."""

RELIEF = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32)


def spatter(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Water at severities 1 to 3, mud at 4 and 5.

    The edge of a drop is where its thickness begins; the release asks an edge detector, which finds the same
    and some lines within.
    """
    large = (
        (0.65, 0.3, 4, 0.69, 0.6),
        (0.65, 0.3, 3, 0.68, 0.6),
        (0.65, 0.3, 2, 0.68, 0.5),
        (0.65, 0.3, 1, 0.65, 1.5),
        (0.67, 0.4, 1, 0.65, 1.5),
    )
    small = (
        (0.62, 0.1, 0.7, 0.7, 0.5),
        (0.65, 0.1, 0.8, 0.7, 0.5),
        (0.65, 0.3, 1, 0.69, 0.5),
        (0.65, 0.1, 0.7, 0.69, 0.6),
        (0.65, 0.1, 0.5, 0.68, 0.6),
    )
    mean, deviation, sigma, least, amount = strength(images, severity, large, small)
    liquid = _smooth(generator.normal(mean, deviation, images.shape[:3]).astype(np.float32), sigma)
    if severity > 3:
        cover = _smooth((liquid > least).astype(np.float32), amount)
        cover = np.where(cover < 0.8, 0, cover)[..., None]
        return np.clip(images * (1 - cover) + cover * _colour(MUD, images), 0, 1)
    thickness = np.floor(np.where(liquid < least, 0, np.clip(liquid, 0, 1)) * 255)
    drops = np.stack([one * _relief(one > 0) for one in thickness])
    drops *= amount / np.maximum(drops.max((1, 2), keepdims=True), 1e-12)
    return np.clip(images + drops[..., None] * _colour(WATER, images), 0, 1)


def _relief(inside: np.ndarray) -> Float[np.ndarray, "height width"]:
    """How light falls on a drop, by the distance from its edge."""
    from scipy.ndimage import binary_erosion, correlate, distance_transform_edt, uniform_filter

    edge = inside & (binary_erosion(inside, border_value=1) == 0)
    if not edge.any():
        return np.zeros(inside.shape, np.float32)
    distance = np.minimum(np.asarray(distance_transform_edt(~edge)), FARTHEST)
    even = _equalised(np.round(uniform_filter(distance, 3, mode="mirror")).astype(np.uint8))
    relief = np.clip(np.round(correlate(even, RELIEF, mode="mirror")), 0, 255)
    return np.round(uniform_filter(relief, 3, mode="mirror")).astype(np.float32)


def _equalised(levels: np.ndarray) -> Float[np.ndarray, "height width"]:
    """Grey levels spread so that each is equally frequent, as far as can be."""
    counts = np.bincount(levels.ravel(), minlength=256)
    below = np.cumsum(counts)
    first = below[np.flatnonzero(counts)[0]]
    if first == levels.size:
        return levels.astype(np.float32)
    return np.round(255 * (below - first) / (levels.size - first)).clip(0)[levels].astype(np.float32)


def _colour(colour: np.ndarray, images: Pixels) -> np.ndarray:
    return colour if images.shape[3] == 3 else colour @ LUMA[:, None]


def _smooth(layers: Float[np.ndarray, "batch height width"], sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(layers, (0, sigma, sigma), mode="nearest")
