"""Dropout of whole channels or features, the same at every pixel and step of an example."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.matrix_weights import MATRIX_LEAVES


class FeatureDropout(nn.Dropout):
    """Zeroes a share `p` of the channels of each image, or of the features of each series or vector."""

    def forward(self, input: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        if not self.training or not self.p:
            return input
        # channels are the second axis of an image, features the last axis of all else
        axes = (2, 3) if input.ndim == 4 else tuple(range(1, input.ndim - 1))
        shape = [1 if axis in axes else size for axis, size in enumerate(input.shape)]
        return input * F.dropout(torch.ones(shape, dtype=input.dtype, device=input.device), self.p)


def drop_features(network: nn.Module, rate: float, *, spared: nn.Module) -> None:
    """Drops features of what every linear, convolutional and recurrent leaf but `spared` gives."""
    left_alone = set(spared.modules())
    for part in list(network.modules()):
        if type(part) in MATRIX_LEAVES and part not in left_alone:
            part.add_module("feature_dropout", FeatureDropout(rate))
            part.register_forward_hook(_dropped)


def _dropped(leaf: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
    if isinstance(output, tuple):
        return (leaf.feature_dropout(output[0]), *output[1:])  # type: ignore[operator]
    return leaf.feature_dropout(output)  # type: ignore[operator]
