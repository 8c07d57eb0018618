"""A tensor that crosses a cut: its name, the type of its numbers and its shape."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tensor:
    """What a slot of a ring holds one of."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def tensor_of(name: str, array: np.ndarray) -> Tensor:
    """The description of an array."""
    return Tensor(name, array.dtype.name, tuple(map(int, array.shape)))
