"""What storing and stretching does to images: large pixels, and elastic distortion."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.sampling import bilinear
from pomona.question.stresses.corruptions.strength import SMALL, strength

Pixels = Float[np.ndarray, "batch height width channel"]


def pixelate(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The image at a lower resolution, in large pixels."""
    share = strength(images, severity, (0.6, 0.5, 0.4, 0.3, 0.25), (0.95, 0.9, 0.85, 0.75, 0.65))
    for axis in (1, 2):
        size = images.shape[axis]
        fewer = max(int(size * share), 1)
        small = np.moveaxis(np.tensordot(images, _box(size, fewer), (axis, 1)), -1, axis)
        nearest = ((np.arange(size) + 0.5) * fewer / size).astype(int)
        images = small.take(nearest, axis)
    return np.clip(images, 0, 1)


def elastic_transform(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The image on a rubber sheet; small images are also moved and sheared, as CIFAR-10-C does it."""
    if max(images.shape[1:3]) > SMALL:
        pull = 250 * strength(images, severity, (0.05, 0.065, 0.085, 0.1, 0.12), (0.0,) * 5)
        side = images.shape[1]
        shape, sigma = images.shape[:3], (0, 0.01 * images.shape[1], 0.01 * images.shape[2])
        down, right = (_field(shape, 0.005 * side, sigma, generator) * pull for _ in range(2))
        return _displaced(images, down, right)
    shares = ((0.0, 0.0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03))
    pull, sigma, shear = (max(images.shape[1:3]) * share for share in shares[severity - 1])
    sheared = _sheared(images, shear, generator)
    down, right = (_field(images.shape[:3], 1.0, (0, sigma, sigma), generator) * pull for _ in range(2))
    return _displaced(sheared, down, right)


def _box(size: int, fewer: int) -> Float[np.ndarray, "fewer size"]:
    """Means over whole pixels whose middle lies in the larger pixel, as Pillow's BOX takes them."""
    scale = size / fewer
    middle = (np.arange(fewer)[:, None] + 0.5) * scale
    offset = (np.arange(size)[None, :] + 0.5 - middle) / scale
    inside = ((offset > -0.5) & (offset <= 0.5)).astype(np.float32)
    return inside / inside.sum(1, keepdims=True)


def _field(
    shape: tuple[int, ...], most: float, sigma: tuple[float, ...], generator: np.random.Generator
) -> Float[np.ndarray, "batch height width"]:
    """Smooth random displacements."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(generator.uniform(-most, most, shape), sigma, mode="reflect", truncate=3)


def _displaced(images: Pixels, down: np.ndarray, right: np.ndarray) -> Pixels:
    rows, columns = np.indices(images.shape[1:3])
    return np.clip(bilinear(images, rows + down, columns + right, edge="reflect"), 0, 1)


def _sheared(images: Pixels, most: float, generator: np.random.Generator) -> Pixels:
    """The images under a random affine map that moves three points by at most `most` pixels."""
    height, width = images.shape[1:3]
    middle, side = np.array([height, width]) // 2, min(height, width) // 3
    points = np.array([middle + side, [middle[0] + side, middle[1] - side], middle - side], np.float64)
    moved = points + generator.uniform(-most, most, (len(images), 3, 2))
    # x and y of the points: the map back from where they went to where they came from
    there = np.concatenate([moved, np.ones((len(images), 3, 1))], axis=2)
    back = np.linalg.solve(there, np.broadcast_to(points, moved.shape))
    rows, columns = np.indices((height, width), np.float64)
    places = np.stack([columns, rows, np.ones_like(rows)], axis=-1)
    x, y = np.moveaxis(np.einsum("hwk,nkc->nhwc", places, back), -1, 0)
    return bilinear(images, y, x, edge="mirror")
