"""The random streams of one fit: they follow from the seed and the fit's name, and from nothing else."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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


@contextlib.contextmanager
def own_dropout(draws: Draws, device: str) -> Iterator[None]:
    """While the block lasts, torch's own generators are streams of this fit; afterwards as they were.

    Dropout draws from these and takes no other.
    """
    cards = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        seed = stream_seed(draws.seed, "dropout", draws.name)
        torch.default_generator.manual_seed(seed)
        if cards:
            torch.cuda.manual_seed(seed)
        yield


def dropout_state(device: str) -> Tensor:
    """The state of the generator that dropout draws from on a device."""
    is_cuda = torch.device(device).type == "cuda"
    return torch.cuda.get_rng_state(device) if is_cuda else torch.get_rng_state()


def set_dropout_state(state: Tensor, device: str) -> None:
    """Goes back to what `dropout_state` gave."""
    if torch.device(device).type == "cuda":
        torch.cuda.set_rng_state(state.cpu(), device)
    else:
        torch.set_rng_state(state.cpu())
