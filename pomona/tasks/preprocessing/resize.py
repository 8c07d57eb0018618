"""Resizing of images by separable triangle filters, as Pillow's BILINEAR does (shrinking averages)."""

import numpy as np
from jaxtyping import Float


def resize(
    images: Float[np.ndarray, "batch height width channel"], height: int, width: int
) -> Float[np.ndarray, "batch new_height new_width channel"]:
    """The images at another size. A constant image stays constant; an equal size changes nothing."""
    if images.shape[1] != height:
        images = np.einsum("oh,bhwc->bowc", filter_weights(images.shape[1], height), images, optimize=True)
    if images.shape[2] != width:
        images = np.einsum("ow,bhwc->bhoc", filter_weights(images.shape[2], width), images, optimize=True)
    return images


def filter_weights(size: int, new_size: int) -> Float[np.ndarray, "new_size size"]:
    """Weights of each old pixel in each new one; rows sum to 1.

    >>> filter_weights(2, 4).tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    ratio = size / new_size
    support = max(ratio, 1.0)
    centers = (np.arange(new_size) + 0.5) * ratio
    distance = np.abs(np.arange(size)[None, :] + 0.5 - centers[:, None]) / support
    weights = np.clip(1 - distance, 0, None)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
