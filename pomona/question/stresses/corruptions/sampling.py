"""Images read between their pixels."""

import numpy as np
from jaxtyping import Float

Pixels = Float[np.ndarray, "batch height width channel"]


def bilinear(
    images: Pixels,
    rows: Float[np.ndarray, "batch height width"],
    columns: Float[np.ndarray, "batch height width"],
    *,
    edge: str,
) -> Pixels:
    """Each image at its own places (in pixels), linear between them; `edge` is what lies outside.

    edge      outside
    reflect   the image mirrored, its last row once more: d c b a | a b c d
    mirror    the image mirrored at its last row: d c b | a b c d
    """
    height, width = images.shape[1:3]
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down = (rows - top).astype(images.dtype)[..., None]
    right = (columns - left).astype(images.dtype)[..., None]
    every = np.arange(len(images))[:, None, None]
    r0, r1 = (folded(top + more, height, edge) for more in (0, 1))
    c0, c1 = (folded(left + more, width, edge) for more in (0, 1))
    upper = images[every, r0, c0] * (1 - right) + images[every, r0, c1] * right
    lower = images[every, r1, c0] * (1 - right) + images[every, r1, c1] * right
    return upper * (1 - down) + lower * down


def folded(places: np.ndarray, size: int, edge: str) -> np.ndarray:
    """Whole places brought inside 0 … size - 1 by mirroring."""
    if edge == "reflect":
        places = places % (2 * size)
        return np.minimum(places, 2 * size - 1 - places)
    period = max(2 * (size - 1), 1)
    places = places % period
    return np.minimum(places, np.maximum(period - places, 0))


def zoomed(images: Pixels, factor: float) -> Pixels:
    """The middle of the images, magnified by `factor` of at least 1, linear between pixels."""
    for axis in (1, 2):
        places = _zoomed_places(images.shape[axis], factor)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, images.shape[axis] - 1)
        shape = [1, 1, 1, 1]
        shape[axis] = len(places)
        share = (places - low).astype(images.dtype).reshape(shape)
        images = images.take(low, axis) * (1 - share) + images.take(high, axis) * share
    return images


def _zoomed_places(size: int, factor: float) -> Float[np.ndarray, " size"]:
    """Where the pixels of a magnified side come from: the rounding is SciPy's `zoom`."""
    kept = int(np.ceil(size / factor))
    grown = max(round(kept * factor), size)
    step = (kept - 1) / max(grown - 1, 1)
    trimmed = (grown - size) // 2
    return (size - kept) // 2 + np.minimum((np.arange(size) + trimmed) * step, kept - 1)
