"""The random streams of one fit: they follow from the seed and the fit's name, and from nothing else."""

from dataclasses import dataclass

import numpy as np
import torch

from pomona.foundation.randomness import stream, stream_seed


@dataclass(frozen=True)
class Draws:
    """Makes the streams of the fit `name` of the run with `seed`."""

    seed: int
    name: str

    def stream(self, purpose: str, position: int) -> np.random.Generator:
        """NumPy's stream for a purpose at a position, such as an epoch."""
        return stream(self.seed, purpose, f"{self.name}/{position}")

    def generator(self, purpose: str, device: str) -> torch.Generator:
        """Torch's stream for a purpose, which lasts for the whole fit."""
        return torch.Generator(device).manual_seed(stream_seed(self.seed, purpose, self.name))
