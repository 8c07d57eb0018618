"""The 19 corruptions of ImageNet-C at five severities, for images of any size, many images at once.

Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
perturbations", with the constants of the release: those of ImageNet-C for large images, of CIFAR-10-C for
small ones. A corruption is a function of pixels (batch, height, width, channel) in [0, 1], a severity and a
generator.
"""

from collections.abc import Callable

import numpy as np

from pomona.question.stresses.corruptions.colour import brightness, contrast, saturate
from pomona.question.stresses.corruptions.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)

Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

CORRUPTIONS: dict[str, Corruption] = {
    "gaussian-noise": gaussian_noise,
    "shot-noise": shot_noise,
    "impulse-noise": impulse_noise,
    "speckle-noise": speckle_noise,
    "contrast": contrast,
    "brightness": brightness,
    "saturate": saturate,
}
