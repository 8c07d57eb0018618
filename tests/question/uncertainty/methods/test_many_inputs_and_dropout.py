"""MIMO's copies and shuffles, and dropout that is where it should be."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from method_samples import asked, sample, small

from pomona.fit.draws import Draws
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.nn.feature_dropout import FeatureDropout
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.methods.member_network import members_key
from pomona.question.uncertainty.methods.mimo import SHOWN, ManyInputs, shown_loss, with_copies
from pomona.question.uncertainty.methods.monte_carlo_dropout import sampled_heads, with_dropout

OWN = {"members": 3, "repetitions": 2, "same_input": 0.0}


def many(network: str, **own) -> tuple[ManyInputs, dict[str, torch.Tensor]]:
    task, spec = sample(network, "classify")
    inputs = {"x": torch.from_numpy(asked(task)["x"])}
    return ManyInputs(build(with_copies(spec, "y", 3), 0), "y", "classify", {**OWN, **own}), inputs


@pytest.mark.parametrize("network", ["dense", "convolutional", "recurrent", "transformer"])
def test_a_head_answers_for_the_example_that_it_was_shown(network):
    """The heads of a shuffled step are those of the same examples put side by side by hand."""
    both, inputs = many(network)
    heads = both(inputs)
    shown = heads[SHOWN]
    assert shown.shape == (3, 16)
    seen = {f"x-{member}": inputs["x"][shown[member]] for member in range(3)}
    by_hand = both.network(seen)
    for member in range(3):
        torch.testing.assert_close(heads[members_key("y")][member], by_hand[f"y-{member}"])


def test_steps_that_are_real_for_one_member_count_for_all():
    """Of variable lengths, the shorter example of a pair does not cut the longer one off."""
    task, spec = sample("transformer", "classify")
    feature = replace(task.inputs["x"], variable=True)
    spec = Spec({"x": feature}, spec.blocks, spec.outputs)
    both = ManyInputs(build(with_copies(spec, "y", 2), 0), "y", "classify", {**OWN, "members": 2})
    x = torch.from_numpy(asked(task)["x"])[:2]
    mask = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    masks = []
    both.network.register_forward_pre_hook(lambda module, args: masks.append(args[0]["x-0.mask"]))
    shown = both({"x": x, "x.mask": mask})[SHOWN]
    assert torch.equal(masks[0], mask[shown[0]] | mask[shown[1]])
    both.eval()
    heads = both({"x": x, "x.mask": mask})["y"]
    other = torch.where(mask, x, 3)
    torch.testing.assert_close(both({"x": other, "x.mask": mask})["y"], heads)


def test_every_member_sees_every_example_as_often_as_asked():
    both, inputs = many("dense", repetitions=3)
    shown = both(inputs)[SHOWN]
    assert torch.equal(shown.sort(1).values, torch.arange(8).repeat_interleave(3).expand(3, -1))
    assert not torch.equal(shown[0], shown[1])


def test_with_all_inputs_the_same_members_see_the_same_examples():
    both, inputs = many("dense", same_input=1.0)
    shown = both(inputs)[SHOWN]
    assert torch.equal(shown[0], shown[1])


def test_the_loss_is_that_of_the_examples_that_were_shown():
    head = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    shown = torch.tensor([[0, 1, 1, 0], [1, 0, 0, 1]])
    target = torch.tensor([2, 0])
    found = shown_loss("y", "classify")({members_key("y"): head, SHOWN: shown}, {"y": target}, None, 0.0)
    wanted = torch.nn.functional.cross_entropy(head.flatten(0, 1), target[shown].flatten())
    torch.testing.assert_close(found, wanted)


def test_dropout_follows_every_block_with_weights_but_heads():
    _, spec = sample("convolutional", "classify")
    dropped = with_dropout(spec, 0.2)
    assert [block.block for block in dropped.blocks] == [
        "convolution",
        "dropout",
        "residual",
        "dropout",
        "global_pool",
        "head",
    ]
    assert dropped.block("two").sources == ("one_dropout",)


def test_dropout_finds_a_name_that_is_free():
    _, spec = sample("dense", "classify")
    taken = Spec(
        spec.inputs,
        (
            Block("one", "dense", {"width": 8}, ("x",)),
            Block("one_dropout", "dense", {"width": 8}, ("one",)),
            Block("head", "head", {"shape": (3,)}, ("one_dropout",)),
        ),
        {"y": "head"},
    )
    names = [block.id for block in with_dropout(taken, 0.1).blocks]
    assert len(set(names)) == len(names) == 5


def test_samples_differ_and_leave_the_network_and_the_generator_as_they_were():
    task, spec = sample("dense", "classify")
    network = build(with_dropout(spec, 0.5), 0).eval()
    inputs = {"x": torch.from_numpy(asked(task)["x"])}
    state = torch.get_rng_state()
    heads = sampled_heads(network, "y", 4, Draws(0, "d"))(inputs).heads
    assert not torch.equal(heads[0], heads[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(part.training for part in network.modules())


def test_the_mean_of_many_samples_comes_near_the_exact_mean():
    """A linear head after dropout: its mean is the head without dropout."""
    task, spec = sample("dense", "classify")
    one = Block("one", "dense", {"width": 8}, ("x",))
    short = Spec(spec.inputs, (one, Block("head", "head", {"shape": (3,)}, ("one",))), {"y": "head"})
    network = build(with_dropout(short, 0.3), 0).double().eval()
    inputs = {"x": torch.from_numpy(asked(task)["x"]).double()}
    with torch.no_grad():
        heads = sampled_heads(network, "y", 4000, Draws(0, "d"))(inputs).heads
        plain = network(inputs)["y"]
    error = (heads.mean(0) - plain).abs() / (heads.std(0) / 4000**0.5)
    assert float(error.max()) < 4.5


@pytest.mark.parametrize(("shape", "shared"), [((6, 40, 3, 4), (2, 3)), ((6, 5, 40), (1,)), ((6, 40), ())])
def test_whole_features_are_dropped_at_every_place(shape, shared):
    layer = FeatureDropout(0.25)
    torch.manual_seed(0)
    y = layer(torch.ones(shape))
    torch.testing.assert_close(y.unique(), torch.tensor([0.0, 1 / 0.75]))
    if shared:
        kept = (y > 0).float().mean(shared)
        assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert 0.1 < float((y == 0).float().mean()) < 0.4
    assert torch.equal(layer.eval()(torch.ones(shape)), torch.ones(shape))


def test_the_improved_dropout_shows_examples_several_times():
    task, spec = sample("dense", "classify")
    row = METHODS["mc-dropout-improved"]
    with temporary_run() as run:
        found = row.function(task, spec, small(row.defaults, steps=3), run=run, name="d")
    said = found.say(asked(task))
    assert said.members is not None
    assert np.ptp(said.members, axis=0).max() > 0
