"""One battery for the whole table of blocks."""

import copy

import pytest
import torch
from network_samples import CASES, FEATURES, inputs_of, one_block, shaken, variants
from torch.func import functional_call, stack_module_state, vmap

from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.shapes import signals
from pomona.nn.leaves import weights_outside_leaves
from pomona.tasks.feature import mask_key

RECURRENT = ("lstm", "gru")

each_case = pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{n}-{k}" for n, k in CASES])


def test_every_choice_has_the_shape_and_weights_that_were_inferred():
    for name, kind, args in variants():
        spec = one_block(name, kind, args)
        network = build(spec, 0).eval()
        y = network(inputs_of(spec, dtype=torch.float32))["y"]
        assert tuple(y.shape[1:]) == signals(spec)["b"].shape, (name, kind, args)
        assert sum(p.numel() for p in network.parameters()) == parameters(spec), (name, kind, args)
        assert weights_outside_leaves(network) == [], (name, kind, args)


@each_case
def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone(name, kind):
    spec = one_block(name, kind)
    before = torch.random.get_rng_state()
    first, same, other = (build(spec, seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[key], same[key]) for key in first)
    drawn = [key for key in first if first[key].unique().numel() > 2]
    assert all(not torch.equal(first[key], other[key]) for key in drawn)


@each_case
def test_gradients_reach_every_weight_and_are_finite(name, kind):
    spec = one_block(name, kind)
    network = shaken(build(spec, 0).double())
    y = network(inputs_of(spec))["y"]
    assert y.dtype == torch.float64
    if any(True for _ in network.parameters()):
        (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)).sum().backward()
    for path, parameter in network.named_parameters():
        assert parameter.grad is not None, path
        assert torch.isfinite(parameter.grad).all(), path
        # a bias before a softmax over all steps shifts every score alike
        assert parameter.grad.abs().sum() > 0 or path.endswith("score.bias"), path


@each_case
def test_an_example_does_not_depend_on_the_others_in_its_batch(name, kind):
    spec = one_block(name, kind)
    network = shaken(build(spec, 0).double()).eval()
    inputs = inputs_of(spec)
    together = network(inputs)["y"]
    alone = torch.cat([network({k: v[i : i + 1] for k, v in inputs.items()})["y"] for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-12)
    assert torch.equal(together, network(inputs)["y"])


@each_case
def test_two_members_at_once_equal_one_after_the_other(name, kind):
    if name in RECURRENT:
        pytest.skip("torch has no batching rule for recurrent layers")
    spec = one_block(name, kind)
    members = [shaken(build(spec, seed).double(), seed).eval() for seed in (0, 1)]
    inputs = inputs_of(spec)
    stacked, buffers = stack_module_state(members)
    if not stacked:
        pytest.skip("no weights")
    base = copy.deepcopy(members[0]).to("meta")
    with torch.no_grad():
        y = vmap(lambda p, b: functional_call(base, (p, b), (inputs,))["y"])(stacked, buffers)
        for member, own in zip(members, y, strict=True):
            torch.testing.assert_close(member(inputs)["y"], own, rtol=1e-10, atol=1e-12)


# torch keeps the weights of LSTM and GRU in a list beside the registered ones
@pytest.mark.filterwarnings("ignore:The tensor attributes .*_flat_weights:UserWarning")
@each_case
def test_torch_export_takes_any_batch_size(name, kind):
    spec = one_block(name, kind)
    network = build(spec, 0).eval()
    inputs = inputs_of(spec, dtype=torch.float32)
    dynamic = {"inputs": {key: {0: torch.export.Dim("batch")} for key in inputs}}
    program = torch.export.export(network, (inputs,), dynamic_shapes=dynamic)
    more = inputs_of(spec, 1, num_examples=5, dtype=torch.float32)
    torch.testing.assert_close(program.module()(more)["y"], network(more)["y"], rtol=1e-5, atol=1e-6)


def test_what_stands_in_padding_changes_nothing():
    for name, kind, args in variants():
        if not FEATURES[kind].variable:
            continue
        spec = one_block(name, kind, args)
        network = shaken(build(spec, 0).double()).eval()
        inputs, real = inputs_of(spec), inputs_of(spec)[mask_key("x")]
        dirty = inputs["x"].clone()
        dirty[~real] = 7 if kind == "tokens" else 1e6
        with torch.no_grad():
            clean_y, dirty_y = network(inputs)["y"], network({**inputs, "x": dirty})["y"]
        mask = network.masks(inputs)["b"]
        if mask is not None and clean_y.ndim == 3:
            clean_y, dirty_y = clean_y[mask], dirty_y[mask]
        assert torch.equal(clean_y, dirty_y), (name, kind, args)


def test_padding_adds_exactly_nothing():
    for name, kind, args in variants():
        feature = FEATURES[kind]
        if not feature.variable or name in ("flatten", "as_image", "as_grid", "resize", "network"):
            continue
        spec = one_block(name, kind, args)
        network = shaken(build(spec, 0).double()).eval()
        inputs = inputs_of(spec)
        real = inputs[mask_key("x")]
        with torch.no_grad():
            padded = network(inputs)["y"]
            mask = network.masks(inputs)["b"]
            for row, length in enumerate(real.sum(1).tolist()):
                short = network({"x": inputs["x"][row : row + 1, :length]})["y"][0]
                own = padded[row] if mask is None else padded[row][mask[row]]
                torch.testing.assert_close(
                    own, short, rtol=1e-10, atol=1e-12, msg=str((name, kind, args, length))
                )


def test_causal_blocks_see_nothing_later():
    for name, block in BLOCKS.items():
        if block.causal is None or "series" not in block.takes:
            continue
        spec = one_block(name, "series", block.causal)
        network = shaken(build(spec, 0).double()).eval()
        inputs = {"x": inputs_of(spec)["x"]}
        y = network(inputs)["y"]
        for change in range(1, inputs["x"].shape[1]):
            later = inputs["x"].clone()
            later[:, change:] += 1.0
            assert torch.allclose(
                network({"x": later})["y"][:, :change], y[:, :change], rtol=0, atol=1e-12
            ), name
