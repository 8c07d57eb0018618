"""An exponential moving average of weights, held as a second network that is ready to be evaluated."""

import copy

import torch
from torch import nn

from pomona.fit import foreach


class MovingAverage:
    """average ← decay · average + (1 - decay) · weights, after every step; for the decay see `decay_at`.

    Buffers are those of the network.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self._averages = list(self.network.parameters())
        self._weights = list(network.parameters())
        self._buffers = list(zip(self.network.buffers(), network.buffers(), strict=True))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after step `step`, counted from 0."""
        foreach.lerp_(self._averages, self._weights, 1 - decay_at(step, self.decay))
        for ours, theirs in self._buffers:
            ours.copy_(theirs)


def decay_at(step: int, decay: float) -> float:
    """The decay after step `step`, counted from 0: at first (1 + step) / (10 + step), to forget the start."""
    return min(decay, (1 + step) / (10 + step))
