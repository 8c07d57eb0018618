"""Clouds: height maps by the diamond-square method, many at once."""

import numpy as np
from jaxtyping import Float

ROUGHNESS = 100.0


def plasma(
    shape: tuple[int, ...], decay: float, generator: np.random.Generator
) -> Float[np.ndarray, "batch height width"]:
    """Height maps of a shape (batch, height, width), cut from square ones that go from 0 to 1.

    The greater the decay, the smoother.
    """
    number, height, width = shape
    size = 1 << max(max(height, width) - 1, 1).bit_length()
    maps = np.zeros((number, size, size), np.float32)
    step, roughness = size, ROUGHNESS
    while step >= 2:
        half = step // 2
        _squares(maps, step, half, roughness, generator)
        _diamonds(maps, step, half, roughness, generator)
        step, roughness = half, roughness / decay
    maps -= maps.min((1, 2), keepdims=True)
    maps /= np.maximum(maps.max((1, 2), keepdims=True), 1e-12)
    return maps[:, :height, :width]


def _squares(
    maps: np.ndarray, step: int, half: int, roughness: float, generator: np.random.Generator
) -> None:
    """The middle of every square: the mean of its corners, and chance."""
    corners = maps[:, ::step, ::step]
    total = corners + np.roll(corners, -1, 1)
    total = total + np.roll(total, -1, 2)
    maps[:, half::step, half::step] = _varied(total, roughness, generator)


def _diamonds(
    maps: np.ndarray, step: int, half: int, roughness: float, generator: np.random.Generator
) -> None:
    """The middle of every side: the mean of the four points around it, and chance."""
    middles, corners = maps[:, half::step, half::step], maps[:, ::step, ::step]
    above = middles + np.roll(middles, 1, 1) + corners + np.roll(corners, -1, 2)
    beside = middles + np.roll(middles, 1, 2) + corners + np.roll(corners, -1, 1)
    maps[:, ::step, half::step] = _varied(above, roughness, generator)
    maps[:, half::step, ::step] = _varied(beside, roughness, generator)


def _varied(total: np.ndarray, roughness: float, generator: np.random.Generator) -> np.ndarray:
    # the release draws from ±roughness and then multiplies by it once more
    return total / 4 + roughness * generator.uniform(-roughness, roughness, total.shape)
