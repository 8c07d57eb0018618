"""The picture of a sparse attention's graph shows what the pattern says."""

import json

import numpy as np
import pytest

from pomona.fit.sections.attention_graph import (
    GLOBAL,
    RANDOM,
    UNREAD,
    WINDOW,
    drawn,
    kinds_of_reads,
    write_attention_graph_section,
)
from pomona.networks.build import build
from pomona.networks.catalogue import NETWORKS
from pomona.nn.sparse_pattern import bigbird_pattern
from pomona.tasks import load_task


@pytest.mark.parametrize("causal", [False, True])
def test_kinds_are_those_that_the_pattern_was_made_of(causal):
    pattern = bigbird_pattern(32, block_size=4, num_heads=2, causal=causal, seed=3)
    bare = bigbird_pattern(32, block_size=4, num_random=0, causal=causal).counts()[0] > 0
    window = bigbird_pattern(32, block_size=4, num_random=0, num_global=0, causal=causal).counts()[0] > 0
    for head in range(2):
        kinds, is_read = kinds_of_reads(pattern, head), pattern.counts()[head] > 0
        assert ((kinds != UNREAD) == is_read).all()
        assert (kinds[pattern.full, :][is_read[pattern.full, :]] == GLOBAL).all()
        inner = [block for block in range(32) if block not in pattern.full]
        seen = kinds[np.ix_(inner, inner)]
        assert (seen[window[np.ix_(inner, inner)]] == WINDOW).all()
        # a random block beside the window cannot be told from it
        apart = (seen == RANDOM) & bare[np.ix_(inner, inner)]
        assert not apart.any()
        assert (seen == RANDOM).any()


def test_the_picture_has_a_field_a_block():
    kinds = kinds_of_reads(bigbird_pattern(12, block_size=4))
    picture = drawn(kinds)
    assert picture.shape == (3, 360, 360)
    assert len(np.unique(picture[:, 15::30, 15::30].reshape(3, -1), axis=1).T) == len(np.unique(kinds))


def test_the_section_stands_for_sparse_attention_only(tmp_path):
    task = load_task("needle", num_train=20, time=256)
    write_attention_graph_section(tmp_path, build(NETWORKS["bigbird"](task), 0))
    (path,) = (tmp_path / "sections").glob("*.json")
    items = json.loads(path.read_text())["items"]
    assert [item["kind"] for item in items] == ["text", "images", "table"]
    assert [row[1:4] for row in items[-1]["rows"]] == [[256, 16, 16]] * 2
    write_attention_graph_section(tmp_path / "other", build(NETWORKS["transformer"](task), 0))
    assert not (tmp_path / "other").exists()
