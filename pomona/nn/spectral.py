"""Bounds on how far a layer can stretch: spectral normalisation (Miyato et al. 2018, Liu et al. 2020)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.foundation.randomness import stream_seed
from pomona.nn.matrix_weights import MATRIX_LEAVES


class SpectralBound(nn.Module):
    """The factor, at most 1, with which a layer's input is multiplied to keep the layer below a bound.

    The largest singular value of the matrix, a kernel's with all but the outputs on one axis, is found by one
    power iteration a training step.
    """

    left: Tensor
    right: Tensor

    def __init__(self, weight: Tensor, bound: float, generator: torch.Generator):
        super().__init__()
        self.bound = bound
        rows, columns = weight.flatten(1).shape
        self.register_buffer("left", F.normalize(torch.randn(rows, generator=generator), dim=0))
        self.register_buffer("right", F.normalize(torch.randn(columns, generator=generator), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        matrix = weight.flatten(1)
        if self.training:
            with torch.no_grad():
                # a matrix of zeros leaves the directions as they are
                right = _direction(matrix.T @ self.left, self.right)
                left = _direction(matrix @ right, self.left)
                self.right.copy_(right)
                self.left.copy_(left)
        largest = torch.dot(self.left.clone(), matrix @ self.right.clone())
        return self.bound / largest.clamp_min(self.bound)


def bound_stretch(network: nn.Module, bound: float, seed: int, *, spared: nn.Module | None = None) -> None:
    """Gives each linear, convolutional and recurrent leaf, but those of `spared`, a SpectralBound.

    Of recurrent leaves the matrix that reads the input is bounded. Embeddings and norms are as they were.
    """
    left_alone = set() if spared is None else set(spared.modules())
    for path, part in list(network.named_modules()):
        if type(part) in MATRIX_LEAVES and part not in left_alone:
            generator = torch.Generator().manual_seed(stream_seed(seed, "spectral", path))
            part.add_module("spectral_bound", SpectralBound(input_weight(part), bound, generator))
            part.register_forward_pre_hook(_scaled_input)


def input_weight(leaf: nn.Module) -> Tensor:
    """The matrix or kernel with which a leaf reads its input."""
    return leaf.weight_ih_l0 if isinstance(leaf, nn.LSTM | nn.GRU) else leaf.weight  # type: ignore[return-value]


def _scaled_input(leaf: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    factor = leaf.spectral_bound(input_weight(leaf))  # type: ignore[operator]
    return (args[0] * factor, *args[1:])


def _direction(vector: Tensor, before: Tensor) -> Tensor:
    length = vector.norm()
    return torch.where(length > 1e-12, vector / length.clamp_min(1e-12), before)
