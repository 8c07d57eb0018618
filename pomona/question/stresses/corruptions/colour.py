"""Contrast, brightness and saturation."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.strength import strength

Pixels = Float[np.ndarray, "batch height width channel"]


def contrast(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Pixels drawn towards the mean of their image, a channel at a time."""
    factor = strength(images, severity, (0.4, 0.3, 0.2, 0.1, 0.05), (0.75, 0.5, 0.4, 0.3, 0.15))
    mean = images.mean((1, 2), keepdims=True)
    return np.clip((images - mean) * factor + mean, 0, 1)


def brightness(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The value of HSV raised; of grey images, the grey."""
    more = strength(images, severity, (0.1, 0.2, 0.3, 0.4, 0.5), (0.05, 0.1, 0.15, 0.2, 0.3))
    value = images.max(-1, keepdims=True)
    raised = np.minimum(value + more, 1)
    # hue and saturation stay where the channels keep their proportions; black becomes grey
    return np.where(value > 0, images * raised / np.maximum(value, 1e-12), raised).astype(images.dtype)


def saturate(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The saturation of HSV scaled and shifted; grey images, which have none, get at most darker."""
    large = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))
    small = ((0.3, 0.0), (0.1, 0.0), (1.5, 0.0), (2.0, 0.1), (2.5, 0.2))
    scale, shift = strength(images, severity, large, small)
    rgb = images if images.shape[3] == 3 else np.repeat(images, 3, axis=3)
    value = rgb.max(-1, keepdims=True)
    chroma = value - rgb.min(-1, keepdims=True)
    saturation = np.where(value > 0, chroma / np.maximum(value, 1e-12), 0)
    wanted = np.clip(saturation * scale + shift, 0, 1)
    # how far a channel is below the value, as a share of the chroma, is the hue; that of grey is red
    below = np.where(chroma > 0, (value - rgb) / np.maximum(chroma, 1e-12), np.array([0.0, 1.0, 1.0]))
    changed = value * (1 - wanted * below)
    # the released code keeps the first channel of grey images, which is the value itself
    return np.clip(changed[..., : images.shape[3]], 0, 1).astype(images.dtype)
