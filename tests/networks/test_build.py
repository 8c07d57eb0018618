"""Networks with several inputs and heads, and the stability of their weights."""

import copy

import pytest
import torch
from network_samples import FEATURES, inputs_of, random_spec, shaken

from pomona.networks.adapt import PATHS, adapt
from pomona.networks.build import build
from pomona.networks.describe import describe, drawing
from pomona.networks.inherit import inherit
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal, signal_of
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature, mask_key


def test_a_block_more_changes_nobody_elses_start():
    for seed in range(5):
        spec = random_spec(seed)
        extra = (
            Block("extra", "dense", {"width": 8}, ("v",)),
            Block("v", "network", {"name": "dense"}, ("x",)),
        )
        longer = Spec(spec.inputs, (extra[1], extra[0], *spec.blocks), {**spec.outputs, "z": "extra"})
        plain, other = build(spec, 0).state_dict(), build(longer, 0).state_dict()
        assert all(torch.equal(other[name], value) for name, value in plain.items())


def test_several_inputs_and_heads():
    inputs = {
        "picture": Feature("picture", "image", (1, 8, 8)),
        "words": Feature("words", "tokens", (6,), num_tokens=9, variable=True),
        "age": Feature("age", "number", ()),
    }
    blocks = (
        Block("a", "global_pool", {}, ("picture",)),
        Block("b", "embed", {"width": 4}, ("words",)),
        Block("c", "global_pool", {}, ("b",)),
        Block("all", "concatenate", {}, ("a", "c", "age")),
        Block("one", "head", {"shape": (3,)}, ("all",)),
        Block("two", "step_head", {"classes": 5}, ("b",)),
    )
    spec = Spec(inputs, blocks, {"label": "one", "tags": "two"})
    network = build(spec, 0)
    outputs = network(inputs_of(spec, dtype=torch.float32))
    assert {name: tuple(y.shape) for name, y in outputs.items()} == {"label": (3, 3), "tags": (3, 6, 5)}
    assert outputs["label"].shape == (3, 3)
    assert set(network.state_dict()) == {
        "blocks.b.weight",
        "blocks.one.linear.weight",
        "blocks.one.linear.bias",
        "blocks.two.linear.weight",
        "blocks.two.linear.bias",
    }


def test_the_mask_of_a_pooled_series_follows_it():
    spec = Spec(
        {"x": FEATURES["series"]},
        (
            Block("a", "convolution", {"stride": 2}, ("x",)),
            Block("b", "pool", {"size": 3}, ("a",)),
            Block("c", "upsample", {"size": 2}, ("b",)),
            Block("d", "global_pool", {}, ("c",)),
        ),
        {"y": "d"},
    )
    network = build(spec, 0)
    mask = torch.arange(12) < torch.tensor([12, 7, 1])[:, None]
    masks = network.masks({mask_key("x"): mask})
    lengths = {name: found.sum(1).tolist() for name, found in masks.items() if found is not None}
    assert lengths == {"x": [12, 7, 1], "a": [6, 4, 1], "b": [2, 2, 1], "c": [4, 4, 2]}
    assert masks["d"] is None


def test_a_missing_mask_means_that_every_step_is_real():
    spec = Spec(
        {"x": FEATURES["series"]},
        (Block("a", "gru", {}, ("x",)), Block("b", "global_pool", {}, ("a",))),
        {"y": "b"},
    )
    network = build(spec, 0)
    x = inputs_of(spec, dtype=torch.float32)["x"]
    full = network({"x": x, mask_key("x"): torch.ones(3, 12, dtype=torch.bool)})["y"]
    torch.testing.assert_close(network({"x": x})["y"], full)


def test_networks_can_be_copied_and_loaded():
    spec = random_spec(3)
    network = shaken(build(spec, 0).double()).eval()
    other = build(spec, 1).double().eval()
    other.load_state_dict(network.state_dict())
    inputs = inputs_of(spec)
    assert torch.equal(other(inputs)["y"], network(inputs)["y"])
    assert torch.equal(copy.deepcopy(network)(inputs)["y"], network(inputs)["y"])


@pytest.mark.parametrize(("have", "want"), list(PATHS))
def test_adapters_reach_every_kind_and_shape(have, want):
    signal = signal_of(FEATURES[have])
    goal = {
        "vector": Signal("vector", (7,)),
        "series": Signal("series", (5, 7)),
        "image": Signal("image", (3, 6, 7)),
    }
    for target in (want, goal[want]):
        blocks = adapt(signal, target, "x", "to")
        known = signals(Spec({"x": FEATURES[have]}, tuple(blocks), {"y": blocks[-1].id}))
        reached = known[blocks[-1].id]
        assert reached.kind == want
        assert isinstance(target, str) or reached.shape == target.shape
    assert adapt(signal, have) == []


def test_adapters_refuse_what_cannot_be():
    with pytest.raises(ValueError, match="no adapter turns vector 3 into tokens"):
        adapt(Signal("vector", (3,)), "tokens")


def test_descriptions_are_short_and_whole():
    image = {"x": Feature("x", "image", (1, 8, 8))}
    blocks = (
        Block("a", "convolution", {"width": 32}, ("x",)),
        Block("b", "residual", {"width": 64, "kernel": 5, "residual": False}, ("a",)),
        Block("c", "pool", {}, ("b",)),
        Block("d", "flatten", {}, ("c",)),
        Block("e", "dense", {"width": 128, "activation": "gelu", "residual": True}, ("d",)),
        Block("h", "head", {"shape": (10,)}, ("e",)),
    )
    spec = Spec(image, blocks, {"y": "h"})
    assert (
        describe(spec)
        == "convolution 32 → residual 64 (kernel 5) → pool 2 → flatten → dense 128 (gelu, gated)"
    )
    forked = (blocks[0], Block("p", "add", {}, ("a", "a")), Block("q", "concatenate", {}, ("a", "p")))
    text = describe(Spec(image, forked, {"y": "q"}))
    assert text == "x → convolution 32 (a); a + a → add (p); a + p → concatenate (q)"


def test_a_drawing_has_every_block_and_edge_once():
    for seed in range(10):
        spec = random_spec(seed)
        nodes, edges = drawing(spec)
        assert set(nodes) == {
            *spec.inputs,
            *(b.id for b in spec.blocks),
            *(f"head {h}" for h in spec.outputs),
        }
        assert len(edges) == len(set(edges))
        assert all(a in nodes and b in nodes for a, b in edges)


def test_images_of_any_layout_give_the_same_and_no_input_is_changed():
    spec = Spec(
        {"x": FEATURES["image"]},
        (Block("a", "cell", {}, ("x",)), Block("b", "flatten", {}, ("a",))),
        {"y": "b"},
    )
    network = build(spec, 0).double()
    x = inputs_of(spec)["x"]
    before = x.clone()
    y = network({"x": x})["y"]
    torch.testing.assert_close(network({"x": x.to(memory_format=torch.channels_last)})["y"], y)
    assert torch.equal(x, before)


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "none"])
def test_every_normalisation_can_be_built_and_inherited(norm):
    args = {"width": 16, "norm": norm}
    image = {"x": Feature("x", "image", (1, 2, 2))}
    blocks = (
        Block("a", "residual", args, ("x",)),
        Block("p", "pool", {}, ("a",)),
        Block("b", "inverted_residual", args, ("p",)),
        Block("c", "flatten", {}, ("b",)),
    )
    spec = Spec(image, blocks, {"y": "c"})
    parent = shaken(build(spec, 0).double())
    parent(inputs_of(spec, num_examples=8))
    wider = Spec(image, (blocks[0].with_args(width=32), *blocks[1:]), {"y": "c"})
    child = build(wider, 1).double()
    report = inherit(child, wider, parent.state_dict(), spec, seed=0)
    inputs = inputs_of(spec)
    torch.testing.assert_close(child.eval()(inputs)["y"], parent.eval()(inputs)["y"], rtol=1e-9, atol=1e-9)
    assert report.fresh == 0


def test_a_normalisation_of_images_that_lie_channels_last_in_memory_does_not_crash():
    for name in ("normalisation", "dilated"):
        spec = Spec({"x": FEATURES["image"]}, (Block("a", name, {}, ("x",)),), {"y": "a"})
        x = inputs_of(spec, dtype=torch.float32)["x"].to(memory_format=torch.channels_last)
        build(spec, 0)({"x": x})["y"].sum().backward()
