"""Gradients cut to a total length, without waiting for a number."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pomona.fit import foreach

# torch's own clip_grad_norm_ adds as much, so that a gradient of zeros stays one
EPSILON = 1e-6


def clip(weights: Sequence[Tensor], norm: float) -> None:
    """Cuts the gradients of one network to a total length of `norm`."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if gradients:
        length = torch.linalg.vector_norm(torch.stack(foreach.norms(gradients)))
        foreach.scale_(gradients, (norm / (length + EPSILON)).clamp_max(1.0))


def clip_members(gradients: Sequence[Tensor], norm: float) -> None:
    """Cuts the gradients of every member of a population, the first axis, to a total length of `norm`."""
    squares = [gradient.reshape(len(gradient), -1).square().sum(1) for gradient in gradients]
    factors = (norm / (torch.stack(squares).sum(0).sqrt() + EPSILON)).clamp_max(1.0)
    for gradient in gradients:
        gradient.mul_(factors.view(-1, *[1] * (gradient.ndim - 1)))
