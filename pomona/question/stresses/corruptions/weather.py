"""Fog, frost and snow."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.motion import streaked
from pomona.question.stresses.corruptions.plasma import plasma
from pomona.question.stresses.corruptions.sampling import zoomed
from pomona.question.stresses.corruptions.strength import strength

Pixels = Float[np.ndarray, "batch height width channel"]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)

FROST_MEAN = np.array([0.52, 0.61, 0.65], np.float32)
FROST_DEVIATIONS = (0.16, 0.12)
"""From one photograph of frost to the next, and within one: of those that the release lays over images."""


def fog(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """A cloud of fog over the image, which keeps its brightest value."""
    large = ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))
    small = ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75))
    density, decay = strength(images, severity, large, small)
    cloud = plasma(images.shape[:3], decay, generator)[..., None]
    brightest = images.max((1, 2, 3), keepdims=True)
    return np.clip((images + density * cloud) * brightest / (brightest + density), 0, 1)


def frost(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Ice on the lens. The release mixes photographs of frost in; here crystals are drawn at random."""
    crystals = frost_pattern(images.shape[:3], generator)
    return frosted(images, crystals if images.shape[3] == 3 else crystals @ LUMA[:, None], severity)


def frosted(images: Pixels, crystals: Pixels, severity: int) -> Pixels:
    """The images under given ice."""
    large = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
    small = ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45))
    kept, added = strength(images, severity, large, small)
    return np.clip(kept * images + added * crystals, 0, 1)


def frost_pattern(
    shape: tuple[int, ...], generator: np.random.Generator
) -> Float[np.ndarray, "batch height width channel"]:
    """Ice: bright ridges where a cloud crosses its middle, on a slowly changing ground."""
    ridges = 1 - np.abs(2 * plasma(shape, 1.4, generator) - 1)
    ground = plasma(shape, 2.0, generator)
    ice = (ridges + ground)[..., None]
    ice = (ice - ice.mean((1, 2), keepdims=True)) / np.maximum(ice.std((1, 2), keepdims=True), 1e-6)
    between, within = FROST_DEVIATIONS
    level = between * generator.standard_normal((shape[0], 1, 1, 1)).astype(np.float32)
    return np.clip(FROST_MEAN + level + within * ice, 0, 1)


def snow(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Flakes that fall steeply, over an image that has gone pale."""
    large = (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    )
    small = (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    )
    mean, deviation, size, least, radius, sigma, kept = strength(images, severity, large, small)
    flakes = generator.normal(mean, deviation, (*images.shape[:3], 1)).astype(np.float32)
    flakes = zoomed(flakes, size)
    flakes = np.clip(np.where(flakes < least, 0, flakes), 0, 1)
    flakes = streaked(flakes, radius, sigma, generator.uniform(-135, -45, len(images)))
    flakes = np.round(flakes * 255) / 255
    grey = images @ LUMA[:, None] if images.shape[3] == 3 else images
    pale = kept * images + (1 - kept) * np.maximum(images, grey * 1.5 + 0.5)
    return np.clip(pale + flakes + flakes[:, ::-1, ::-1], 0, 1)
