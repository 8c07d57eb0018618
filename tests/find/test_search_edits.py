"""Edits of a graph on a network small enough to write down what comes out."""

import pytest

from pomona.find.search import edits
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature

INPUTS = {"x": Feature("x", "vector", (4,))}


def spec(*blocks, out):
    return Spec(
        INPUTS, tuple(Block(name, "dense", {}, tuple(sources)) for name, *sources in blocks), {"y": out}
    )


def wiring(network):
    return {block.id: block.sources for block in network.blocks}, network.outputs["y"]


CHAIN = spec(("a", "x"), ("b", "a"), ("c", "b"), out="c")
DIAMOND = spec(("a", "x"), ("b", "a"), ("c", "a"), ("d", "b", "c"), out="d")


def test_inserting_moves_every_reader():
    after = edits.insert_after(DIAMOND, "a", [Block("n", "dense", {}, ("a",))])
    assert wiring(after) == ({"a": ("x",), "n": ("a",), "b": ("n",), "c": ("n",), "d": ("b", "c")}, "d")


def test_inserting_behind_an_input_and_behind_the_end():
    first = edits.insert_after(CHAIN, "x", [Block("n", "dense", {}, ("x",))])
    assert wiring(first)[0]["a"] == ("n",)
    last = edits.insert_after(CHAIN, "c", [Block("n", "dense", {}, ("c",))])
    assert wiring(last) == ({"a": ("x",), "b": ("a",), "c": ("b",), "n": ("c",)}, "n")


def test_inserting_a_branch_keeps_what_it_is_beside():
    added = [Block("n", "dense", {}, ("a",)), Block("j", "add", {}, ("b", "n"))]
    after = edits.insert_after(CHAIN, "b", added)
    assert wiring(after) == ({"a": ("x",), "b": ("a",), "n": ("a",), "j": ("b", "n"), "c": ("j",)}, "c")


def test_removing_closes_the_gap_and_takes_dead_blocks_along():
    assert wiring(edits.remove(CHAIN, "b", "a")) == ({"a": ("x",), "c": ("a",)}, "c")
    assert wiring(edits.remove(DIAMOND, "d", "c")) == ({"a": ("x",), "c": ("a",)}, "c")


def test_replacing_renames_all_mentions():
    after = edits.replace_block(DIAMOND, "d", Block("e", "dense", {}, ("b", "c")))
    assert wiring(after)[1] == "e"
    after = edits.replace_block(DIAMOND, "a", Block("e", "dense", {}, ("x",)))
    assert wiring(after)[0] == {"e": ("x",), "b": ("e",), "c": ("e",), "d": ("b", "c")}


@pytest.mark.parametrize(
    ("lower", "wanted"),
    [
        ("b", ({"b": ("x",), "a": ("b",), "c": ("a",)}, "c")),
        ("c", ({"a": ("x",), "c": ("a",), "b": ("c",)}, "b")),
    ],
)
def test_swapping_turns_two_neighbours_round(lower, wanted):
    assert wiring(edits.swap_with_source(CHAIN, lower)) == wanted


def test_new_ids_are_the_lowest_that_are_free():
    network = spec(("dense1", "x"), ("dense3", "dense1"), out="dense3")
    assert edits.new_id(network, "dense") == "dense2"
    assert edits.new_id(network, "pool") == "pool1"
