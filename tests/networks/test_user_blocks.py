"""A user's file of blocks: what is found out about it, and what is refused."""

import pytest
import torch

from pomona.foundation.errors import SettingError, SpecError
from pomona.networks.blocks import BLOCKS
from pomona.networks.blocks.user import load_blocks
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.hashing import spec_hash
from pomona.networks.inherit import inherit
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature

FILE = '''
"""Blocks of a user."""
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass
class Settings:
    power: int = 2


class Bent(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, width))

    def forward(self, x):
        return (x @ self.weight.T).sin()


def bent(signal, *, width: int = 16, shape: Literal["sine", "cosine"] = "sine", twice: bool = False):
    return Bent(signal.width, width)


def ahead(signal, *, causal: bool = False):
    class Mean(nn.Module):
        def forward(self, x):
            steps = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]
            return x.cumsum(1) / steps if causal else x - x.mean(1, keepdim=True)

    if signal.kind != "series":
        raise ValueError("for series")
    return Mean()


def difference(signals):
    class Difference(nn.Module):
        def forward(self, first, second):
            return first - second

    return Difference()


def flat_only(signal):
    if signal.kind != "vector":
        raise ValueError("for vectors")
    return nn.Linear(signal.width, 3)


def helper(number):
    return number


def _hidden(signal):
    return None
'''


@pytest.fixture
def blocks(tmp_path):
    path = tmp_path / "my_blocks.py"
    path.write_text(FILE)
    return load_blocks(path)


def test_public_functions_of_a_signal_are_blocks_and_kinds_are_told_by_trying(blocks):
    assert set(blocks) == {"bent", "ahead", "difference", "flat_only"}
    assert blocks["bent"].takes == ("series", "vector", "audio")
    assert blocks["bent"].choices == {"shape": ("sine", "cosine"), "twice": (False, True)}
    assert blocks["ahead"].takes == ("series",)
    assert blocks["difference"].role == "join"
    assert len(blocks["bent"].source) == 64


def test_whether_a_block_looks_ahead_is_told_by_trying(blocks):
    assert blocks["bent"].causal == {}
    assert blocks["ahead"].causal == {"causal": True}
    assert blocks["difference"].causal == {}
    assert blocks["flat_only"].causal == {}


def test_they_build_count_hash_and_inherit_like_ours(blocks):
    table = {**BLOCKS, **blocks}
    made = (
        Block("a", "bent", {"width": 8}, ("x",)),
        Block("b", "bent", {"width": 8}, ("a",)),
        Block("c", "difference", {}, ("a", "b")),
    )
    spec = Spec({"x": Feature("x", "vector", (5,))}, made, {"y": "c"})
    before = torch.random.get_rng_state()
    first, same, other = (build(spec, seed, blocks=table) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    weight = first.blocks["b"].weight
    assert torch.equal(weight, same.blocks["b"].weight)
    assert not torch.equal(weight, other.blocks["b"].weight)
    alone = Spec({"x": Feature("x", "vector", (8,))}, (Block("b", "bent", {"width": 8}, ("x",)),), {"y": "b"})
    assert torch.equal(build(alone, 0, blocks=table).blocks["b"].weight, weight)
    assert parameters(spec, blocks=table) == 5 * 8 + 8 * 8
    report = inherit(other, spec, first.state_dict(), spec, seed=0, blocks=table)
    assert report.copied == 2
    assert torch.equal(other.blocks["b"].weight, weight)
    assert len(spec_hash(spec, blocks=table)) == 64


def test_another_source_is_another_hash(blocks, tmp_path):
    path = tmp_path / "other.py"
    path.write_text(FILE.replace(".sin()", ".cos()"))
    spec = Spec({"x": Feature("x", "vector", (5,))}, (Block("a", "bent", {}, ("x",)),), {"y": "a"})
    both = [spec_hash(spec, blocks={**BLOCKS, **table}) for table in (blocks, load_blocks(path))]
    assert both[0] != both[1]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("x = 1", SettingError, "has no block: write `def my_block"),
        ("def broken(:", SpecError, "fails: SyntaxError"),
        ("import no_such_module_at_all", SpecError, "fails: ModuleNotFoundError"),
        ("def dense(signal): return None", SpecError, "block 'dense': Pomona has a block of this name"),
        ("def mine(signal, *, width): return None", SpecError, "argument 'width' needs a default"),
        (
            "def mine(signal): return None",
            SpecError,
            "block 'mine' takes no kind of signal; the last reason: ",
        ),
        ("def mine(signal): raise KeyError('gone')", SpecError, "block 'mine' takes no kind of signal"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, content, error, message):
    path = tmp_path / "bad.py"
    path.write_text(content)
    with pytest.raises(error, match=message) as caught:
        load_blocks(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SettingError, match="no file of blocks"):
        load_blocks(tmp_path / "none.py")
    (tmp_path / "blocks.txt").write_text("x = 1")
    with pytest.raises(SettingError, match="is no Python file"):
        load_blocks(tmp_path / "blocks.txt")
