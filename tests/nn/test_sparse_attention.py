import itertools

import pytest
import torch
from torch.nn import functional

from pomona.nn.sparse_attention import SparseAttention, dense_attention
from pomona.nn.sparse_attention_flex import flex_attention_of
from pomona.nn.sparse_pattern import BlockPattern, bigbird_pattern, full_pattern, step_mask

PATTERNS = list(
    itertools.product((1, 2, 3, 5, 9, 12), (1, 3, 4), (0, 1, 2, 3), (1, 3, 5), (0, 2), (False, True))
)


def drawn(num_steps, *, num_heads=2, width=4, batch=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tensors = torch.randn(3, batch, num_heads, num_steps, width, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([num_steps, max(1, num_steps // 2), max(1, num_steps - 1)])[:batch]
    return *tensors, torch.arange(num_steps) < lengths[:, None]


def farthest(one, other, mask):
    apart = (one - other).abs().amax((1, 3))
    assert torch.isfinite(apart).all()
    return float(apart.max() if mask is None else apart[mask].max())


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_gathering_equals_the_dense_mask_for_every_length_block_and_padding(missing):
    for seed, (blocks, size, num_global, window, random, causal) in enumerate(PATTERNS):
        num_steps = blocks * size - missing
        if num_steps < 1:
            continue
        pattern = bigbird_pattern(
            blocks,
            block_size=size,
            num_global=num_global,
            num_window=window,
            num_random=random,
            num_heads=2,
            causal=causal,
            seed=seed,
        )
        layer, (query, key, value, real) = SparseAttention(pattern), drawn(num_steps, seed=seed)
        for mask in (None, real):
            sparse = layer(query, key, value, mask)
            dense = dense_attention(query, key, value, pattern, mask)
            assert farthest(sparse, dense, mask) < 1e-12, (pattern, num_steps)


def test_the_dense_mask_equals_torchs_own_attention_with_that_mask():
    for causal in (False, True):
        pattern = bigbird_pattern(9, block_size=4, num_heads=2, causal=causal)
        query, key, value, mask = drawn(36)
        allowed = torch.from_numpy(step_mask(pattern)) & mask[:, None, None, :]
        # padded queries of a causal pattern always have a real step before them
        wanted = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        assert farthest(dense_attention(query, key, value, pattern, mask), wanted, mask) < 1e-12


def test_a_pattern_that_reads_all_is_full_attention():
    query, key, value, _ = drawn(23)
    for causal in (False, True):
        wanted = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        for size in (1, 4, 23, 64):
            layer = SparseAttention(full_pattern(-(-23 // size), block_size=size, causal=causal))
            assert farthest(layer(query, key, value), wanted, None) < 1e-12


def test_gradients_equal_those_of_the_dense_mask():
    pattern = bigbird_pattern(8, block_size=4, num_heads=2)
    query, key, value, mask = drawn(30)
    found = []
    for attend in (SparseAttention(pattern), lambda q, k, v, m: dense_attention(q, k, v, pattern, m)):
        leaves = [x.clone().requires_grad_() for x in (query, key, value)]
        y = attend(*leaves, mask).masked_fill(~mask[:, None, :, None], 0.0)
        found.append(torch.autograd.grad((y * torch.linspace(-1, 1, 30)[:, None]).sum(), leaves))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_block_that_stands_twice_counts_twice():
    keys = torch.tensor([[[0, 0, 1, -1], [1, 0, 0, 0], [2, 0, -1, -1], [3, 3, 0, 1]]]).numpy()
    pattern = BlockPattern(3, keys)
    query, key, value, mask = drawn(12)
    for real in (None, mask):
        sparse = SparseAttention(pattern)(query, key, value, real)
        assert farthest(sparse, dense_attention(query, key, value, pattern, real), real) < 1e-12
    scores = query[0, 0, 3:6] @ key[0, 0, :6].T / 2
    weights = scores.exp() * torch.tensor([3.0, 3, 3, 1, 1, 1])
    wanted = weights / weights.sum(1, keepdim=True) @ value[0, 0, :6]
    torch.testing.assert_close(SparseAttention(pattern)(query, key, value)[0, 0, 3:6], wanted)


def test_padding_and_a_shorter_sequence_give_the_same():
    pattern = bigbird_pattern(10, block_size=4, num_heads=2)
    layer, (query, key, value, _) = SparseAttention(pattern), drawn(40)
    for length in (1, 3, 4, 17, 36, 39):
        mask = (torch.arange(40) < length).expand(3, -1)
        padded = layer(query, key, value, mask)[:, :, :length]
        short = layer(query[:, :, :length], key[:, :, :length], value[:, :, :length])
        torch.testing.assert_close(padded, short, rtol=1e-12, atol=1e-12)


def test_an_example_without_a_real_step_stays_finite():
    for causal in (False, True):
        layer = SparseAttention(bigbird_pattern(6, block_size=4, num_heads=2, causal=causal))
        query, key, value, _ = drawn(24)
        nothing = torch.zeros(3, 24, dtype=torch.bool)
        assert torch.isfinite(layer(query, key, value, nothing)).all()


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [16, 48, 64, 128, 200])
def test_flex_attention_computes_the_same(size, causal):
    pattern = bigbird_pattern(7, block_size=size, num_heads=2, causal=causal)
    for missing in (0, 13):
        query, key, value, mask = (x[:2] for x in drawn(7 * size - missing, width=16, batch=2))
        for real in (None, mask):
            flex = flex_attention_of(query, key, value, pattern, real, is_compiled=False)
            gathered = SparseAttention(pattern)(query, key, value, real)
            assert farthest(flex, gathered, real) < 1e-12


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_counts_a_block_twice_that_stands_twice():
    keys = torch.tensor([[[0, 0, 1], [1, 0, -1], [2, 2, 2]]]).numpy()
    query, key, value, mask = drawn(96, width=16)
    pattern = BlockPattern(32, keys)
    flex = flex_attention_of(query, key, value, pattern, mask, is_compiled=False)
    assert farthest(flex, SparseAttention(pattern)(query, key, value, mask), mask) < 1e-12


@pytest.mark.parametrize("causal", [False, True])
def test_the_blocks_that_the_kernel_visits_hold_every_pair(causal):
    from pomona.nn.sparse_attention_flex import KERNEL_BLOCK, static_block_mask

    pattern = bigbird_pattern(90, block_size=48, num_heads=2, causal=causal)
    counts = pattern.counts()
    mask = static_block_mask(pattern, counts, torch.from_numpy(counts), pattern.num_steps, 2, None)
    visited = mask.to_dense()[0].bool().repeat_interleave(KERNEL_BLOCK, 1).repeat_interleave(KERNEL_BLOCK, 2)
    wanted = torch.from_numpy(step_mask(pattern))
    num_steps = pattern.num_steps
    assert (visited[:, :num_steps, :num_steps] | ~wanted).all()
    assert visited.float().mean() < 0.75
