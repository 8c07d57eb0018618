"""Learned positions of one grid of patches at another one: for images of another size."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def resized_positions(
    positions: Float[Tensor, "place feature"],
    num_first: int,
    old: tuple[int, int],
    new: tuple[int, int],
) -> Float[Tensor, "new feature"]:
    """The positions of a grid of `new` rows and columns; the first `num_first`, of class tokens, stay.

    Corner keeps to corner and what lies between is bilinear: scipy.ndimage.zoom of order 1, as the paper's
    code (Dosovitskiy et al. 2020) resizes them for fine-tuning at a higher resolution.
    """
    if old == new:
        return positions
    first, rest = positions[:num_first], positions[num_first:]
    grid = rest.T.unflatten(1, old)[None]
    resized = F.interpolate(grid, size=new, mode="bilinear", align_corners=True)
    return torch.cat((first, resized[0].flatten(1).T))
