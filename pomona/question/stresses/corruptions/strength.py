"""How strong a corruption is: published constants for large images and for small ones."""

from typing import TypeVar

import numpy as np

from pomona.foundation.errors import SettingError

T = TypeVar("T")

SMALL = 64
"""Images with no side above this take the constants of CIFAR-10-C (32 × 32), others of ImageNet-C (224)."""

SEVERITIES = (1, 2, 3, 4, 5)


def strength(images: np.ndarray, severity: int, large: tuple[T, ...], small: tuple[T, ...]) -> T:
    """The constant of a severity, 1 to 5. Raises SettingError for another one."""
    if severity not in SEVERITIES:
        raise SettingError(f"a severity is 1, 2, 3, 4 or 5, got {severity}")
    return (small if max(images.shape[1:3]) <= SMALL else large)[severity - 1]
