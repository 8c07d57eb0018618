"""The interface of everything that runs a network on a batch."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from jaxtyping import Shaped


class Session(Protocol):
    """Runs a network: named arrays in, named arrays out, any number of examples at a time."""

    threads: int
    """How many threads one call uses."""

    def run(
        self, inputs: Mapping[str, Shaped[np.ndarray, "batch ..."]]
    ) -> dict[str, Shaped[np.ndarray, "batch ..."]]:
        """Head → its output. Masks of variable inputs travel in `inputs`; other entries are ignored."""
        ...
