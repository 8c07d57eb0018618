"""A learned vector in the place of steps that were not observed."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MissingSteps(nn.Module):
    """(batch, time, feature) → the same shape; the last feature is 1 where a step was observed, else 0.

    The first `num_values` features of a step that was not observed are replaced by a learned vector; the last
    feature stays, so that what follows knows which steps were filled.
    """

    def __init__(self, num_values: int):
        super().__init__()
        self.num_values = num_values
        self.vector = nn.Embedding(1, num_values)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time feature"]:
        observed = x[:, :, -1:]
        values = x[:, :, : self.num_values]
        filled = values * observed + self.vector.weight[0] * (1 - observed)
        return torch.cat((filled, x[:, :, self.num_values :]), 2)

    def initialise(self, generator: torch.Generator) -> None:
        """Zeros: at first a step that was not observed is one at the series' level."""
        nn.init.zeros_(self.vector.weight)
