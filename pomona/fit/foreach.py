"""Arithmetic on lists of tensors, one call for all of them: a call each costs more than the numbers.

These are torch's own functions behind fused optimisers, which it keeps under names with an underscore.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

Tensors = Sequence[Tensor]


def norms(tensors: Tensors) -> list[Tensor]:
    """The Euclidean length of each tensor."""
    return list(torch._foreach_norm(list(tensors)))  # pyright: ignore


def scale_(tensors: Tensors, factor: Tensor | float) -> None:
    """Each tensor times a number, in place."""
    torch._foreach_mul_(list(tensors), factor)  # pyright: ignore


def add_(tensors: Tensors, others: Tensors, *, factor: float = 1.0) -> None:
    """Each tensor plus `factor` times another, in place."""
    torch._foreach_add_(list(tensors), list(others), alpha=factor)  # pyright: ignore


def lerp(tensors: Tensors, others: Tensors, share: float) -> list[Tensor]:
    """Each tensor moved by a share of the way to another."""
    return list(torch._foreach_lerp(list(tensors), list(others), share))  # pyright: ignore


def lerp_(tensors: Tensors, others: Tensors, share: float) -> None:
    """Moves each tensor by a share of the way to another, in place."""
    torch._foreach_lerp_(list(tensors), list(others), share)  # pyright: ignore


def sign_(tensors: Tensors) -> None:
    """Makes each tensor its sign, in place."""
    torch._foreach_sign_(list(tensors))  # pyright: ignore
