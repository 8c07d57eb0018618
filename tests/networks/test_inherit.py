"""Inheritance keeps what a network computes, for every widening that the table of blocks promises."""

import pytest
import torch
from network_samples import CASES, inputs_of, one_block, random_spec, shaken

from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.inherit import inherit
from pomona.networks.shapes import signals
from pomona.networks.signal import feature_of
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature


def child_of(parent, child_spec, seed=1):
    """A child in double precision that has inherited, and the report."""
    child = shaken(build(child_spec, 99).double(), 99).eval()
    for part in child.modules():
        if type(part).__name__ == "Gated":
            torch.nn.init.zeros_(part.gate.weight)
    return child, inherit(child, child_spec, parent.state_dict(), parent.spec, seed=seed)


def between(name, kind, args, feature=None):
    """A block between a layer that can be widened and layers that read every channel."""
    spec = one_block(name, kind, args, feature)
    stems = {"image": "convolution", "series": "dense", "vector": "dense"}
    blocks = list(spec.blocks)
    source = "x"
    if kind in stems:
        blocks.insert(0, Block("stem", stems[kind], {"width": 16}, ("x",)))
        blocks[1] = Block("b", name, blocks[1].args, ("stem",) * len(blocks[1].sources))
    out = signals(Spec(spec.inputs, tuple(blocks), {"y": "b"}))["b"]
    if BLOCKS[name].role == "head":
        return Spec(spec.inputs, tuple(blocks), {"y": "b"})
    source = "b"
    if out.kind != "vector":
        blocks.append(Block("flat", "flatten", {}, ("b",)))
        source = "flat"
    blocks.append(Block("head", "head", {"shape": (3,)}, (source,)))
    return Spec(spec.inputs, tuple(blocks), {"y": "head"})


def changed(network, block_id, **args):
    blocks = tuple(
        Block(b.id, b.block, {**b.args, **args}, b.sources) if b.id == block_id else b for b in network.blocks
    )
    return Spec(network.inputs, blocks, network.outputs)


def assert_same_function(parent, child, spec):
    inputs = inputs_of(spec)
    with torch.no_grad():
        torch.testing.assert_close(child(inputs)["y"], parent(inputs)["y"], rtol=1e-9, atol=1e-9)


def widenings():
    for name, kind in CASES:
        for argument in BLOCKS[name].widens:
            for value in BLOCKS[name].choices[argument]:
                yield name, kind, argument, value


@pytest.mark.parametrize(("name", "kind", "argument", "value"), list(widenings()))
def test_doubling_an_argument_changes_nothing(name, kind, argument, value):
    spec = between(name, kind, {argument: value})
    parent = shaken(build(spec, 0).double()).eval()
    wider = changed(spec, "b", **{argument: 2 * value})
    child, report = child_of(parent, wider)
    assert_same_function(parent, child, spec)
    assert report.fresh == 0
    assert report.widened > 0


@pytest.mark.parametrize("width", [16, 48])
@pytest.mark.parametrize(("name", "kind"), [c for c in CASES if c[1] in ("image", "series", "vector")])
def test_a_wider_source_changes_nothing(name, kind, width):
    spec = between(name, kind, {"width": width} if "width" in BLOCKS[name].choices else {})
    if name in ("network", "as_image", "steps"):
        pytest.skip("channels become places")
    if name in ("bottleneck", "standardised_convolution"):
        pytest.skip("a standardised kernel cannot be shared out")
    if BLOCKS[name].role == "published":
        pytest.skip("a shortcut appears where widths become equal")
    parent = shaken(build(spec, 0).double()).eval()
    child, report = child_of(parent, changed(spec, "stem", width=32))
    assert_same_function(parent, child, spec)
    # the convolution of a shortcut that was none is the only thing that the parent has not
    assert report.fresh == 0


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_an_inserted_gated_block_changes_nothing(name, kind):
    if kind in ("audio", "tokens") or BLOCKS[name].role in ("head", "join"):
        pytest.skip("does not keep the shape")
    args = {"width": 16} if "width" in BLOCKS[name].choices else {}
    whole = between(name, kind, args)
    if signals(whole)["b"] != signals(whole)["stem"]:
        pytest.skip("does not keep the shape")
    gated = changed(whole, "b", residual=True)
    blocks = tuple(
        Block(b.id, b.block, b.args, tuple("stem" if s == "b" else s for s in b.sources))
        for b in whole.blocks
        if b.id != "b"
    )
    spec = Spec(whole.inputs, blocks, whole.outputs)
    parent = shaken(build(spec, 0).double()).eval()
    child, _ = child_of(parent, gated)
    assert_same_function(parent, child, spec)


@pytest.mark.parametrize("kind", ["image", "series"])
@pytest.mark.parametrize("causal", [False, True])
def test_a_larger_kernel_changes_nothing(kind, causal):
    if causal and kind == "image":
        pytest.skip("an image has no past")
    for name in ("convolution", "residual", "inverted_residual", "dilated"):
        spec = between(name, kind, {"kernel": 3, "causal": causal})
        parent = shaken(build(spec, 0).double()).eval()
        child, report = child_of(parent, changed(spec, "b", kernel=5))
        assert_same_function(parent, child, spec)
        assert report.fresh == 0


def test_the_same_network_inherits_everything():
    for seed in range(25):
        spec = random_spec(seed)
        parent = shaken(build(spec, 0).double()).eval()
        child, report = child_of(parent, spec)
        for name, value in parent.state_dict().items():
            torch.testing.assert_close(child.state_dict()[name], value, rtol=0, atol=0)
        assert (report.widened, report.narrowed, report.fresh) == (0, 0, 0)
        assert report.copied == len(list(child.parameters()))


def test_joins_and_shared_blocks_hand_their_channels_on():
    blocks = (
        Block("stem", "convolution", {"width": 16}, ("x",)),
        Block("left", "residual", {"width": 16}, ("stem",)),
        Block("right", "convolution", {"width": 32}, ("stem",)),
        Block("both", "concatenate", {}, ("left", "right", "stem")),
        Block("mix", "residual", {"width": 48}, ("both",)),
        Block("again", "add", {}, ("mix", "mix")),
        Block("rows", "rows", {}, ("again",)),
        Block("gru", "gru", {"width": 16, "bidirectional": True}, ("rows",)),
        Block("vector", "global_pool", {"method": "attentive"}, ("gru",)),
        Block("head", "head", {"shape": (3,)}, ("vector",)),
    )
    spec = Spec({"x": Feature("x", "image", (2, 8, 8))}, blocks, {"y": "head"})
    parent = shaken(build(spec, 0).double()).eval()
    for block_id, width in (("stem", 32), ("left", 32), ("right", 64), ("mix", 96), ("gru", 32)):
        child, report = child_of(parent, changed(spec, block_id, width=width))
        assert_same_function(parent, child, spec)
        assert report.widened > 0


def test_copies_of_a_channel_share_at_random_and_by_seed():
    spec = between("dense", "vector", {"width": 32})
    parent = shaken(build(spec, 0).double()).eval()
    wider = changed(spec, "b", width=64)
    first, same, other = (child_of(parent, wider, seed)[0].blocks["head"].linear.weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.allclose(first[:, 0::2], first[:, 1::2])


def test_a_narrower_layer_keeps_its_strongest_channels():
    spec = between("dense", "vector", {"width": 32})
    parent = shaken(build(spec, 0).double()).eval()
    child, report = child_of(parent, changed(spec, "b", width=8))
    weight = parent.blocks["b"][0].weight
    kept = weight.norm(dim=1).topk(8).indices.sort().values
    torch.testing.assert_close(child.blocks["b"][0].weight, weight[kept], rtol=0, atol=0)
    torch.testing.assert_close(
        child.blocks["head"].linear.weight, parent.blocks["head"].linear.weight[:, kept], rtol=0, atol=0
    )
    assert report.narrowed == 3
    assert report.fresh == 0


def test_a_block_of_another_kind_starts_anew_and_the_rest_is_copied():
    spec = between("residual", "image", {"width": 16})
    parent = build(spec, 0)
    other = Spec(
        spec.inputs,
        tuple(Block("b", "dilated", {"width": 16}, b.sources) if b.id == "b" else b for b in spec.blocks),
        spec.outputs,
    )
    child = build(other, 1)
    before = {name: value.clone() for name, value in child.state_dict().items()}
    report = inherit(child, other, parent.state_dict(), spec, seed=0)
    for name, value in child.state_dict().items():
        source = before if name.startswith("blocks.b.") else parent.state_dict()
        assert torch.equal(value, source[name]), name
    assert report.fresh == sum(name.startswith("blocks.b.") for name, _ in child.named_parameters())


def test_the_bug_would_be_found():
    """The oracle itself: without shares, copies would double what they pass on."""
    spec = between("dense", "vector", {"width": 32})
    parent = shaken(build(spec, 0).double()).eval()
    child, _ = child_of(parent, changed(spec, "b", width=64))
    with torch.no_grad():
        child.blocks["head"].linear.weight.mul_(2)
    with pytest.raises(AssertionError):
        assert_same_function(parent, child, spec)


def test_networks_inside_networks_are_widened_too():
    inner = Spec(
        {"input": feature_of("input", signals(between("dense", "vector", {}))["stem"])},
        (
            Block("one", "dense", {"width": 32}, ("input",)),
            Block("two", "residual_dense", {}, ("one",)),
        ),
        {"output": "two"},
    )
    spec = between("network", "vector", {"name": None, "spec": inner.to_json()})
    parent = shaken(build(spec, 0).double()).eval()
    wide = changed(inner, "one", width=64)
    for child_spec in (changed(spec, "b", spec=wide.to_json()), changed(spec, "stem", width=32)):
        child, report = child_of(parent, child_spec)
        assert_same_function(parent, child, spec)
        assert report.fresh == 0
