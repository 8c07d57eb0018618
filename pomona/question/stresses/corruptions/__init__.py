"""The 19 corruptions of ImageNet-C at five severities, for images of any size, many images at once.

Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
perturbations", with the constants of the release: those of ImageNet-C for large images, of CIFAR-10-C for
small ones. A corruption is a function of pixels (batch, height, width, channel) in [0, 1], a severity and a
generator.
"""

from collections.abc import Callable

import numpy as np

from pomona.question.stresses.corruptions.blur import (
    defocus_blur,
    gaussian_blur,
    glass_blur,
    motion_blur,
    zoom_blur,
)
from pomona.question.stresses.corruptions.colour import brightness, contrast, saturate
from pomona.question.stresses.corruptions.digital import elastic_transform, pixelate
from pomona.question.stresses.corruptions.jpeg import jpeg_compression
from pomona.question.stresses.corruptions.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)
from pomona.question.stresses.corruptions.spatter import spatter
from pomona.question.stresses.corruptions.weather import fog, frost, snow

Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

CORRUPTIONS: dict[str, Corruption] = {
    "gaussian-noise": gaussian_noise,
    "shot-noise": shot_noise,
    "impulse-noise": impulse_noise,
    "speckle-noise": speckle_noise,
    "defocus-blur": defocus_blur,
    "glass-blur": glass_blur,
    "motion-blur": motion_blur,
    "zoom-blur": zoom_blur,
    "gaussian-blur": gaussian_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "spatter": spatter,
    "brightness": brightness,
    "contrast": contrast,
    "saturate": saturate,
    "elastic-transform": elastic_transform,
    "pixelate": pixelate,
    "jpeg-compression": jpeg_compression,
}
