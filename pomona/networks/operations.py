"""What leaves cost, and the few layers that multiply matrices without one.

A multiply-add counts as two operations. Additions of biases, normalisations, activations and pooling do not
count.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from pomona.nn.attention import SelfAttention
from pomona.nn.filterbanks import GroupedGaborBank, ModulusBank, SincBank
from pomona.nn.global_local_attention import GlobalLocalAttention
from pomona.nn.mel import MelPower
from pomona.nn.sparse_attention import SparseAttention

Count = Callable[[Any, Any, Any], int]
"""From a leaf, what it read and what it gave to what that cost."""


@contextmanager
def counted(module: nn.Module, costs: Mapping[type[nn.Module], Count]) -> Iterator[list[int]]:
    """Yields a list that receives the cost of everything `module` runs inside the block."""
    counts: list[int] = []
    handles = [
        part.register_forward_hook(
            lambda part, inputs, output: counts.append(costs[type(part)](part, inputs[0], output))
        )
        for part in module.modules()
        if type(part) in costs
    ]
    try:
        yield counts
    finally:
        for handle in handles:
            handle.remove()


def _linear(leaf: Any, x: Tensor, y: Tensor) -> int:
    return 2 * y.numel() * leaf.in_features


def _convolution(leaf: Any, x: Tensor, y: Tensor) -> int:
    return 2 * y.numel() * leaf.in_channels // leaf.groups * math.prod(leaf.kernel_size)


def _recurrent(leaf: Any, x: Tensor, y: tuple) -> int:
    num_gates = 4 if isinstance(leaf, nn.LSTM) else 3
    return 2 * x.shape[0] * x.shape[1] * num_gates * leaf.hidden_size * (leaf.input_size + leaf.hidden_size)


def _recurrent_steps(leaf: Any, x: Tensor, y: tuple) -> int:
    return x.shape[1]


def _attention(layer: Any, x: Tensor, y: Tensor) -> int:
    # the products of queries and keys, and of weights and values; the projections are Linear leaves
    return 2 * 2 * x.shape[0] * x.shape[1] ** 2 * layer.num_heads * layer.head_width


def _global_local(layer: Any, x: Tensor, y: tuple) -> int:
    batch, num_steps = x.shape[:2]
    num_global = y[1].shape[1]
    pairs = num_steps * (2 * layer.radius + 1) + 2 * num_steps * num_global + num_global**2
    related = 2 * (num_steps + num_global) * layer.relative.num_embeddings
    return 2 * batch * layer.num_heads * layer.head_width * (2 * pairs + related)


def _sparse_attention(layer: Any, x: Tensor, y: Tensor) -> int:
    # queries, keys and values are (batch, head, time, feature)
    batch, num_heads, _, width = x.shape
    return 2 * 2 * batch * num_heads * layer.num_pairs * width


def _mel(layer: Any, x: Tensor, y: Tensor) -> int:
    num_frames = y.shape[0] * y.shape[1]
    return 2 * num_frames * (layer.fourier.numel() + layer.mel.numel())


def _modulus(layer: Any, x: Tensor, y: Tensor) -> int:
    """By Fourier transforms, of five windows' length for every four windows of signal."""
    length = 2.5 * layer.reach
    transforms = x.numel() / (2 * layer.reach) * y.shape[2]
    return round(transforms * (5 * length * math.log2(length) + 8 * length) + 10 * x.numel() * y.shape[2])


def _sinc(layer: Any, x: Tensor, y: Tensor) -> int:
    return 2 * x.numel() * y.shape[2] * layer.filters.window


def _grouped(layer: Any, x: Tensor, y: Tensor) -> int:
    return sum(4 * x.numel() // stride * (high - low) * taps for low, high, stride, taps in layer.groups)


FLOPS: dict[type[nn.Module], Count] = {
    nn.Linear: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.LSTM: _recurrent,
    nn.GRU: _recurrent,
    SelfAttention: _attention,
    SparseAttention: _sparse_attention,
    GlobalLocalAttention: _global_local,
    MelPower: _mel,
    ModulusBank: _modulus,
    SincBank: _sinc,
    GroupedGaborBank: _grouped,
}
"""Floating-point operations."""

STEPS: dict[type[nn.Module], Count] = {nn.LSTM: _recurrent_steps, nn.GRU: _recurrent_steps}
"""Steps that wait for one another, however many operations each has."""
