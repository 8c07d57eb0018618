"""Bounds that do not trap a weight: beyond them the gradient still leads back."""

from typing import Any

import torch
from torch import Tensor


def clamped(x: Tensor, low: float, high: float) -> Tensor:
    """`x` within [low, high].

    Where `x` is outside, a gradient that would take it further out is dropped and one that leads back is
    kept; torch.clamp drops both, so that a weight that left its range once never returns.
    """
    if torch.compiler.is_compiling():
        return x.clamp(low, high)
    return _Clamped.apply(x, low, high)  # type: ignore[return-value]


class _Clamped(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, low: float, high: float) -> Tensor:
        return x.clamp(low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:
        x, ctx.low, ctx.high = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        # a step goes against the gradient
        leaves = ((x < ctx.low) & (gradient > 0)) | ((x > ctx.high) & (gradient < 0))
        return gradient.masked_fill(leaves, 0.0), None, None
