"""Blurs: out of focus, through glass, by motion, by zooming in, and plain Gaussian."""

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.corruptions.motion import streaked
from pomona.question.stresses.corruptions.sampling import zoomed
from pomona.question.stresses.corruptions.strength import strength

Pixels = Float[np.ndarray, "batch height width channel"]


def defocus_blur(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The image of a lens out of focus: every point a disk."""
    from scipy.signal import fftconvolve

    large = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
    small = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1))
    kernel = disk(*strength(images, severity, large, small))
    reach = len(kernel) // 2
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), "reflect")
    # the kernel is the same upside down, so that convolving and correlating are one
    blurred = fftconvolve(padded, kernel[None, :, :, None], "valid", axes=(1, 2))
    return np.clip(blurred, 0, 1).astype(images.dtype)


def glass_blur(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The image through frosted glass: pixels take the colour of a neighbour, between two blurs.

    As in the release, where what is meant as a swap of two pixels copies one of them.
    """
    large = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
    small = ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2))
    sigma, reach, rounds = strength(images, severity, large, small)
    blurred = np.floor(_gaussian(images, sigma) * 255) / 255
    num_images, height, width = images.shape[:3]
    places = np.tile(np.arange(height * width), (num_images, 1))
    rows = np.arange(num_images)
    steps = [(h, w) for h in range(height - reach, reach, -1) for w in range(width - reach, reach, -1)]
    for _ in range(rounds):
        shifts = generator.integers(-reach, reach, (len(steps), 2, num_images))
        for (h, w), (down, right) in zip(steps, shifts, strict=True):
            places[:, h * width + w] = places[rows, (h + down) * width + w + right]
    shuffled = np.take_along_axis(blurred.reshape(num_images, height * width, -1), places[:, :, None], axis=1)
    return np.clip(_gaussian(shuffled.reshape(images.shape), sigma), 0, 1)


def motion_blur(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The camera moved, at an angle of −45° to 45° to the horizontal, another for each image."""
    large = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
    small = ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5))
    radius, sigma = strength(images, severity, large, small)
    return streaked(images, radius, sigma, generator.uniform(-45, 45, len(images)))


def zoom_blur(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """The camera came nearer: the mean of the image at several magnifications."""
    large = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
    small = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))
    stop, step = strength(images, severity, large, small)
    factors = np.arange(1, stop, step)
    total = images.copy()
    for factor in factors:
        total += zoomed(images, float(factor))
    return np.clip(total / (len(factors) + 1), 0, 1)


def gaussian_blur(images: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """A plain Gaussian blur."""
    return np.clip(
        _gaussian(images, strength(images, severity, (1, 2, 3, 4, 6), (0.4, 0.6, 0.7, 0.8, 1))), 0, 1
    )


def disk(radius: float, sigma: float) -> Float[np.ndarray, "size size"]:
    """A disk of sum 1, its edge smoothed by a Gaussian of 3 pixels (of 5 for a radius above 8)."""
    from scipy.ndimage import correlate1d

    side = np.arange(-max(8, radius), max(8, radius) + 1)
    inside = (side[:, None] ** 2 + side[None, :] ** 2 <= radius**2).astype(np.float32)
    taps = np.exp(-(np.arange(-1 - (radius > 8), 2 + (radius > 8)) ** 2) / (2 * sigma**2))
    kernel = inside / inside.sum()
    for axis in (0, 1):
        kernel = correlate1d(kernel, taps / taps.sum(), axis, mode="mirror")
    return kernel


def _gaussian(images: Pixels, sigma: float) -> Pixels:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(images, (0, sigma, sigma, 0), mode="nearest")
