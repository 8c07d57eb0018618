import itertools

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.foundation.errors import SettingError
from pomona.nn.sparse_pattern import NOTHING, bigbird_pattern, diameter, full_pattern, step_mask

patterns = st.builds(
    bigbird_pattern,
    st.integers(1, 20),
    block_size=st.integers(1, 4),
    num_global=st.integers(0, 4),
    num_window=st.sampled_from((1, 3, 5)),
    num_random=st.integers(0, 4),
    num_heads=st.integers(1, 3),
    causal=st.booleans(),
    seed=st.integers(0, 5),
)


@given(patterns)
@settings(max_examples=60, deadline=None)
def test_every_block_is_read_at_most_once_and_by_itself(pattern):
    counts = pattern.counts()
    assert counts.max() == 1
    assert (counts[:, range(pattern.num_blocks), range(pattern.num_blocks)] == 1).all()


@given(patterns)
@settings(max_examples=60, deadline=None)
def test_a_causal_pattern_names_no_later_block(pattern):
    if pattern.causal:
        assert (pattern.keys <= np.arange(pattern.num_blocks)[:, None]).all()
        assert not np.triu(step_mask(pattern), 1).any()


def test_a_row_holds_global_neighbouring_and_as_many_random_blocks_as_asked_for():
    pattern = bigbird_pattern(40, block_size=2, num_heads=5)
    assert pattern.full == (0, 39)
    for head, block in itertools.product(range(5), range(2, 38)):
        row = set(pattern.keys[head, block].tolist())
        assert row >= {0, 39, block - 1, block, block + 1}
        assert len(row) == 8


def test_random_blocks_come_from_the_whole_sequence_and_differ_by_head_and_seed():
    one, other = (bigbird_pattern(64, block_size=1, num_heads=4, seed=seed) for seed in (0, 1))
    counts = one.counts()[:, 1:-1, 1:-1].sum((0, 1))
    # without the window, each of 62 blocks is drawn 4 · 62 · 3 / 59 times in the mean
    assert counts.min() > 12
    assert counts[-20:].sum() > 0.8 * counts[:20].sum()
    assert not np.array_equal(one.keys[0], one.keys[1])
    assert not np.array_equal(one.keys, other.keys)


def test_a_head_more_changes_no_other_heads_blocks():
    few, many = (bigbird_pattern(30, block_size=1, num_heads=count) for count in (2, 3))
    np.testing.assert_array_equal(few.keys, many.keys[:2])


def test_the_diameter_is_that_of_the_graph():
    for seed, num_global, num_random in itertools.product(range(3), (0, 1, 2), (0, 1, 3)):
        pattern = bigbird_pattern(
            33, block_size=1, num_global=num_global, num_random=num_random, num_heads=1, seed=seed
        )
        graph = networkx.from_numpy_array(pattern.counts()[0].T, create_using=networkx.DiGraph)
        if networkx.is_strongly_connected(graph):
            assert diameter(pattern) == networkx.diameter(graph)


def test_global_blocks_make_two_layers_enough_and_random_ones_shorten_the_way():
    def farthest(**counts):
        return diameter(bigbird_pattern(256, block_size=16, **counts))

    assert farthest() == 2
    assert farthest(num_global=0, num_random=0) == 255
    assert farthest(num_global=0) <= 8
    assert farthest(num_global=0, num_window=1, num_random=0) == np.inf


def test_a_shortened_pattern_is_the_corner_of_the_whole_one():
    pattern = bigbird_pattern(17, block_size=1, num_heads=2)
    for num_blocks in (1, 2, 9, 16, 17):
        short = pattern.shortened(num_blocks)
        np.testing.assert_array_equal(short.counts(), pattern.counts()[:, :num_blocks, :num_blocks])


def test_a_full_pattern_reads_all():
    assert full_pattern(5, block_size=2).counts().all()
    assert (full_pattern(5, block_size=2).keys == NOTHING).all()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"num_window": 2}, "odd number"),
        ({"num_random": -1}, "at least 0"),
        ({"block_size": 0}, "at least one block"),
    ],
)
def test_what_is_no_pattern_is_said_in_one_line(counts, said):
    with pytest.raises(SettingError, match=said):
        bigbird_pattern(8, **{"block_size": 4, **counts})
