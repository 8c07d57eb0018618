"""Where in a series a step stands: learned or sine vectors that are added, and rotations for attention."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Positions(nn.Module):
    """x + position, "learned" or "sine" (Vaswani et al. 2017); series may be shorter than `num_steps`."""

    sine: Tensor

    def __init__(self, method: str, num_steps: int, num_features: int):
        super().__init__()
        self.embedding = nn.Embedding(num_steps, num_features) if method == "learned" else None
        sine = None if method == "learned" else sines(num_steps, num_features)
        self.register_buffer("sine", sine, persistent=False)

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time feature"]:
        if self.embedding is not None:
            return x + self.embedding(torch.arange(x.shape[1], device=x.device))
        return x + self.sine[: x.shape[1]]


def sines(num_steps: int, num_features: int) -> Float[Tensor, "time feature"]:
    """Sines and cosines of the step at wavelengths from 2π to 20000π, every second feature each."""
    angles = _angles(num_steps, -(-num_features // 2))
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[:, :num_features]


class Rotation(nn.Module):
    """Turns pairs of features by an angle that grows with the step (Su et al. 2021, "RoPE").

    Products of two turned vectors depend on how far their steps are apart, not on where they stand.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, num_steps: int, head_width: int):
        super().__init__()
        angles = _angles(num_steps, head_width // 2).repeat(1, 2)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def forward(self, x: Float[Tensor, "... time feature"]) -> Float[Tensor, "... time feature"]:
        num_steps, half = x.shape[-2], x.shape[-1] // 2
        turned = torch.cat((-x[..., half:], x[..., :half]), -1)
        return x * self.cosine[:num_steps] + turned * self.sine[:num_steps]


def _angles(num_steps: int, num_pairs: int) -> Float[Tensor, "time pair"]:
    speeds = 10_000.0 ** (-torch.arange(num_pairs) / num_pairs)
    return torch.arange(num_steps)[:, None] * speeds
