"""Noise of four kinds (Hendrycks and Dietterich 2019)."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.strength import strength

Pixels = Float[np.ndarray, "batch height width channel"]


def gaussian_noise(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Noise as of a sensor in the dark."""
    scale = strength(images, severity, (0.08, 0.12, 0.18, 0.26, 0.38), (0.04, 0.06, 0.08, 0.09, 0.10))
    return np.clip(images + scale * _normal(images, generator), 0, 1)


def shot_noise(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Noise of counted light: Poisson."""
    photons = strength(images, severity, (60, 25, 12, 5, 3), (500, 250, 100, 75, 50))
    return np.clip(generator.poisson(images * photons).astype(np.float32) / photons, 0, 1)


def impulse_noise(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Salt and pepper: some values become 0 or 1, a coin for each."""
    share = strength(images, severity, (0.03, 0.06, 0.09, 0.17, 0.27), (0.01, 0.02, 0.03, 0.05, 0.07))
    lot = generator.random(images.shape, np.float32)
    return np.where(lot < share, (lot < share / 2).astype(images.dtype), images)


def speckle_noise(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Noise that grows with brightness."""
    scale = strength(images, severity, (0.15, 0.2, 0.35, 0.45, 0.6), (0.06, 0.1, 0.12, 0.16, 0.2))
    return np.clip(images * (1 + scale * _normal(images, generator)), 0, 1)


def _normal(images: Pixels, generator: np.random.Generator) -> Pixels:
    return generator.standard_normal(images.shape, np.float32)
