"""Files in the IDX format of MNIST."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """The array in an IDX file of bytes: two zeros, type 8, the number of axes, their sizes, the values."""
    data = np.fromfile(path, np.uint8)
    num_axes = int(data[3])
    shape = data[4 : 4 + 4 * num_axes].view(">u4").astype(int)
    return data[4 + 4 * num_axes :].reshape(shape)
