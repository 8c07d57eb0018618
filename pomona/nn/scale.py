"""A learned factor for every channel: LayerScale (Touvron et al. 2021) and the gate of an inserted block."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Scale(nn.Module):
    """x · weight along the channel axis: the second one of an image, the last one of anything else."""

    def __init__(self, num_channels: int, initial: float = 0.0, *, is_image: bool = False):
        super().__init__()
        self.initial = initial
        self.is_image = is_image
        self.weight = nn.Parameter(torch.full((num_channels,), initial))

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return x * (self.weight[:, None, None] if self.is_image else self.weight)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, initial={self.initial}"
