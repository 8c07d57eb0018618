"""JPEG: what compression loses, computed without writing a file.

ISO 10918-1, annex K, with quality as the Independent JPEG Group scales the tables and chroma at half the
resolution; decoded with chroma interpolated. Within a grey level or two of libjpeg, whose arithmetic is in
whole numbers.
"""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.strength import strength

Pixels = Float[np.ndarray, "batch height width channel"]

LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
CHROMINANCE = np.pad(
    np.array([[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]),
    (0, 4),
    constant_values=99,
)

TO_CHROMA = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)


def jpeg_compression(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The image after compression at a low quality."""
    quality = strength(images, severity, (25, 18, 15, 10, 7), (80, 65, 58, 50, 40))
    levels = np.round(images * 255)
    if images.shape[3] != 3:
        return np.stack(
            [_compressed(levels[..., c], quality, LUMINANCE) for c in range(images.shape[3])], axis=-1
        ) / np.float32(255)
    parts = np.round(levels @ TO_CHROMA.T + np.array([0, 128, 128], np.float32))
    light = _compressed(parts[..., 0], quality, LUMINANCE)
    colours = [_colour(parts[..., channel], quality) for channel in (1, 2)]
    back = np.linalg.inv(TO_CHROMA).astype(np.float32)
    decoded = np.stack([light, colours[0] - 128, colours[1] - 128], axis=-1) @ back.T
    return np.clip(np.round(decoded), 0, 255) / np.float32(255)


def _colour(values: Float[np.ndarray, "batch height width"], quality: int) -> np.ndarray:
    height, width = values.shape[1:]
    even = _padded(values, 2)
    total = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    # quarters are rounded down and up in turn, so that there is no bias
    halved = np.floor((total + 1 + np.arange(total.shape[2]) % 2) / 4)
    small = _compressed(halved, quality, CHROMINANCE)
    return _doubled(_doubled(small, 1), 2)[:, :height, :width]


def _compressed(
    values: Float[np.ndarray, "batch height width"], quality: int, table: np.ndarray
) -> Float[np.ndarray, "batch height width"]:
    """One channel of levels 0 … 255, its blocks of 8 × 8 rounded in frequency."""
    from scipy.fft import dctn, idctn

    number, height, width = values.shape
    padded = _padded(values, 8) - 128
    blocks = padded.reshape(number, padded.shape[1] // 8, 8, padded.shape[2] // 8, 8)
    steps = _steps(table, quality)[:, None, :]
    rounded = np.round(dctn(blocks, axes=(2, 4), norm="ortho") / steps) * steps
    decoded = np.asarray(idctn(rounded, axes=(2, 4), norm="ortho")).reshape(padded.shape)
    return np.clip(np.round(decoded + 128), 0, 255)[:, :height, :width].astype(np.float32)


def _steps(table: np.ndarray, quality: int) -> np.ndarray:
    """The table scaled to a quality, as libjpeg does it."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((table * scale + 50) // 100, 1, 255).astype(np.float32)


def _padded(values: Float[np.ndarray, "batch height width"], multiple: int) -> np.ndarray:
    """The channel with its last row and column repeated up to a multiple."""
    more = [(0, -size % multiple) for size in values.shape[1:]]
    return np.pad(values, ((0, 0), *more), "edge")


def _doubled(values: np.ndarray, axis: int) -> np.ndarray:
    """Twice as many values along an axis, each new one three quarters its own and a quarter its neighbour."""
    size = values.shape[axis]
    before = values.take(np.maximum(np.arange(size) - 1, 0), axis)
    after = values.take(np.minimum(np.arange(size) + 1, size - 1), axis)
    pairs = np.stack([(3 * values + before) / 4, (3 * values + after) / 4], axis=axis + 1)
    return pairs.reshape(*values.shape[:axis], 2 * size, *values.shape[axis + 1 :])
