"""A network as data: round trips, and refusals of what is none."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from network_samples import FEATURES, random_spec

from pomona.foundation.errors import InputError, SpecError
from pomona.networks.shapes import signals
from pomona.networks.spec import Block, Spec

INPUTS = {"x": FEATURES["vector"]}


def test_json_gives_the_network_back():
    for seed in range(30):
        spec = random_spec(seed)
        again = Spec.from_json(json.loads(json.dumps(spec.to_json())))
        assert again == spec
        assert signals(again) == signals(spec)


def test_blocks_of_json_may_come_in_any_order():
    spec = random_spec(1)
    plain = spec.to_json()
    plain["blocks"].reverse()
    assert signals(Spec.from_json(plain)) == signals(spec)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value inside plain data."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def refusal(plain: Any) -> str:
    """The message with which the network is refused; anything but an InputError is a crash."""
    try:
        signals(Spec.from_json(plain))
    except InputError as error:
        return str(error)
    return ""


def test_damage_anywhere_is_an_input_error_in_one_line_and_never_a_crash():
    plain = random_spec(2).to_json()
    for path in places(plain):
        for wrong in (None, 3, -1, "wrong", [], {}, [[]], {"a": 1}, True, 1e400, ["x", "x"]):
            damaged = copy.deepcopy(plain)
            if path:
                inner = damaged
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = wrong
            else:
                damaged = wrong
            assert "\n" not in refusal(damaged), (path, wrong)


@pytest.mark.parametrize(
    ("blocks", "outputs", "message"),
    [
        ((), {}, "at least one input and one output"),
        ((Block("a", "dense"),), {"y": "a"}, "block 'a' \\(dense\\) reads nothing"),
        ((Block("a", "dense", {}, ("z",)),), {"y": "a"}, "reads 'z': no input and no earlier block"),
        ((Block("x", "dense", {}, ("x",)),), {"y": "x"}, "block 'x': the id is used twice"),
        ((Block("a", "dense", {}, ("x",)),), {"y": "b"}, "output 'y' is block 'b', which does not exist"),
    ],
)
def test_graphs_that_are_none_are_refused(blocks, outputs, message):
    with pytest.raises(SpecError, match=message):
        Spec(INPUTS, blocks, outputs)


def test_circles_are_named():
    plain = Spec(
        INPUTS, (Block("a", "dense", {}, ("x",)), Block("b", "dense", {}, ("a",))), {"y": "b"}
    ).to_json()
    plain["blocks"][0]["from"] = ["b"]
    with pytest.raises(SpecError, match="blocks a, b read each other in a circle"):
        Spec.from_json(plain)


def test_blocks_are_found_by_id():
    spec = Spec(INPUTS, (Block("a", "dense", {}, ("x",)),), {"y": "a"})
    assert spec.block("a").with_args(width=3).args == {"width": 3}
    with pytest.raises(SpecError, match="no block 'b'; the network has a"):
        spec.block("b")
