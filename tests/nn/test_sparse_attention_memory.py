"""What forward and backward hold at once grows with the length, not with its square."""

import itertools

import torch

from pomona.nn.peak_memory import peak_bytes
from pomona.nn.sparse_attention import SparseAttention
from pomona.nn.sparse_pattern import bigbird_pattern

BLOCK, HEADS, WIDTH = 64, 2, 16


def peaks(attention_of):
    found = []
    for power in range(5):
        num_steps = 1024 * 2**power
        with torch.device("meta"):
            attention = attention_of(num_steps)
            inputs = [torch.randn(1, HEADS, num_steps, WIDTH, requires_grad=True) for _ in range(3)]
        found.append(peak_bytes(lambda run=attention, x=inputs: run(*x).sum().backward()))
    return found


def sparse(num_steps):
    return SparseAttention(bigbird_pattern(num_steps // BLOCK, block_size=BLOCK, num_heads=HEADS))


def full(num_steps):
    return lambda query, key, value: (query @ key.transpose(-1, -2)).softmax(-1) @ value


def test_the_measure_is_that_of_a_computation_known_by_hand():
    x = torch.zeros(100, device="meta")
    # y and z together, then z alone and w
    assert peak_bytes(lambda: (x + 1).mul(2).sum()) == 800


def test_peak_memory_is_linear_from_1k_to_16k_steps():
    found = peaks(sparse)
    assert all(longer < 2.2 * shorter for shorter, longer in itertools.pairwise(found)), found


def test_that_of_full_attention_is_not():
    found = peaks(full)
    assert all(longer > 3.5 * shorter for shorter, longer in itertools.pairwise(found)), found
    assert peaks(sparse)[2] < found[2] / 4
