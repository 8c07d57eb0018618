"""Vision transformers: sizes, positions, blindness to order without positions, resolution, and search."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from network_samples import shaken
from scipy.ndimage import zoom

from pomona.foundation.errors import SettingError
from pomona.networks.build import build
from pomona.networks.compose import compose
from pomona.networks.cost import parameters
from pomona.networks.inherit import inherit
from pomona.networks.named import named_spec
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec
from pomona.networks.vit import VitShape, small_vit, vit_body, vit_of_size
from pomona.nn.position_grid import resized_positions
from pomona.tasks import load_task
from pomona.tasks.feature import Feature

TINY = VitShape(width=16, depth=2, heads=2, patch=4)


def network_of(shape, size=(3, 16, 16), goal="vector"):
    signal = Signal("image", size)
    blocks = vit_body(signal, "image", goal, shape=shape)
    spec = Spec({"image": Feature("image", "image", size)}, tuple(blocks), {"y": blocks[-1].id})
    return shaken(build(spec, 0).double()).eval()


@pytest.mark.parametrize(
    ("size", "patch", "side", "published"),
    [("ti", 16, 224, 5_717_416), ("s", 16, 224, 22_050_664), ("b", 16, 224, 86_567_656),
     ("b", 16, 384, 86_859_496), ("l", 16, 224, 304_326_632), ("h", 14, 224, 632_045_800)],
)  # fmt: skip
def test_published_sizes_have_the_published_number_of_weights(size, patch, side, published):
    signal = Signal("image", (3, side, side))
    blocks = vit_body(signal, "image", shape=vit_of_size(size, patch))
    blocks.append(Block("head", "head", {"shape": (1000,)}, (blocks[-1].id,)))
    spec = Spec({"image": Feature("image", "image", signal.shape)}, tuple(blocks), {"y": "head"})
    assert parameters(spec) == published


@pytest.mark.parametrize(
    ("old", "new"),
    [((4, 4), (7, 7)), ((14, 14), (24, 24)), ((5, 3), (2, 8)), ((6, 6), (3, 3)), ((2, 2), (1, 1))],
)
def test_positions_are_resized_as_scipy_does_it(old, new):
    positions = torch.randn(2 + old[0] * old[1], 5, generator=torch.Generator().manual_seed(0)).double()
    resized = resized_positions(positions, 2, old, new).numpy()
    grid = positions[2:].numpy().reshape(*old, 5)
    wanted = zoom(grid, (new[0] / old[0], new[1] / old[1], 1), order=1)
    np.testing.assert_array_equal(resized[:2], positions[:2])
    np.testing.assert_allclose(resized[2:], wanted.reshape(-1, 5), atol=1e-12)


def test_without_positions_the_order_of_patches_does_not_matter_and_with_them_it_does():
    image = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    tiles = image.unfold(2, 4, 4).unfold(3, 4, 4).flatten(2, 3)[:, :, torch.randperm(16)]
    moved = tiles.unflatten(2, (4, 4)).transpose(3, 4).flatten(4).flatten(2, 3)
    for positions, same in (("none", True), ("learned", False)):
        network = network_of(replace(TINY, positions=positions))
        first, second = network({"image": image})["y"], network({"image": moved})["y"]
        assert torch.allclose(first, second, rtol=0, atol=1e-9) == same


def test_registers_are_read_by_nobody_after_the_last_layer_but_change_what_is_computed():
    image = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    for pool in ("first", "mean"):
        network = network_of(replace(TINY, registers=3, pool=pool))
        before = network({"image": image})["y"]
        tokens = network.blocks["layer2"](network.blocks["layer1"](network.blocks["tokens"](image)))
        assert tokens.shape == (2, 1 + 3 + 16, 16)
        tokens[:, 1:4] += 100
        torch.testing.assert_close(network.blocks["vector"](tokens), before)
        with torch.no_grad():
            network.blocks["tokens"].registers.weight.neg_()
        assert not torch.allclose(network({"image": image})["y"], before)


def test_the_mean_counts_patches_only():
    tokens = torch.randn(2, 1 + 16, 16, dtype=torch.float64)
    network = network_of(replace(TINY, pool="mean", norm="after"))
    norm, wanted = network.blocks["vector"][1], tokens[:, 1:].mean(1)
    torch.testing.assert_close(network.blocks["vector"](tokens), norm(wanted))


def test_a_branch_is_left_out_for_whole_examples_and_kept_on_average():
    network = network_of(replace(TINY, drop_path=0.5)).train()
    branch = network.blocks["layer2"][0].branch
    x = torch.randn(1, 17, 16, dtype=torch.float64).expand(2000, -1, -1)
    with torch.no_grad():
        torch.manual_seed(0)
        y = branch(x)
        whole = branch.eval()(x[:1])
    kept = y.abs().sum((1, 2)) > 0
    torch.testing.assert_close(y[kept], 2 * whole.expand(int(kept.sum()), -1, -1))
    assert abs(float(kept.double().mean()) - 0.5) < 0.04


def test_attention_weights_are_those_that_the_layer_uses():
    attention = network_of(TINY).blocks["layer1"][0].branch[1]
    x = torch.randn(2, 9, 16, dtype=torch.float64)
    weights = attention.weights(x)
    torch.testing.assert_close(weights.sum(3), torch.ones(2, 2, 9, dtype=torch.float64))
    value = attention.project_in(x).unflatten(2, (3, 2, 8))[:, :, 2].transpose(1, 2)
    torch.testing.assert_close(
        attention.project_out((weights @ value).transpose(1, 2).flatten(2)), attention(x)
    )


def test_dropout_of_attention_acts_in_training_only():
    attention = network_of(replace(TINY, attention_dropout=0.5)).blocks["layer1"][0].branch[1]
    x = torch.randn(2, 9, 16, dtype=torch.float64)
    assert torch.equal(attention(x), attention(x))
    attention.train()
    assert not torch.allclose(attention(x), attention(x))


def test_a_network_for_larger_images_inherits_everything_with_positions_resized():
    parent = network_of(TINY)
    child = network_of(TINY, (3, 24, 32))
    report = inherit(child, child.spec, parent.state_dict(), parent.spec, seed=0)
    assert report.fresh == 0
    old, new = (n.blocks["tokens"].positions.embedding.weight for n in (parent, child))
    torch.testing.assert_close(new, resized_positions(old, 1, (4, 4), (6, 8)))


def test_names_of_any_size_and_patch():
    task = load_task("digits")
    assert named_spec("vit-s/2", task).block("tokens").args["size"] == 2
    assert named_spec("vit-ti", task).block("tokens").args["width"] == 192
    assert named_spec("vit-h/4", task).block("layer32").args["heads"] == 16
    for wrong in ("vit-x/2", "vit-b/", "vit-b/two"):
        with pytest.raises(SettingError, match=r"vit-SIZE/PATCH"):
            named_spec(wrong, task)


def test_every_image_task_has_its_vision_transformer():
    task = load_task("shapes", num_train=20)
    spec = named_spec("vit", task)
    y = build(spec, 0)({"image": torch.zeros(2, 1, 32, 32)})["shape"]
    assert y.shape == (2, 4, 32, 32)


def test_a_hybrid_reads_what_a_stem_makes_of_the_pixels():
    signal = Signal("image", (1, 28, 28))
    stem = (("stem", "convolution", {"width": 8, "stride": 2}),)
    spec = compose(
        partial(vit_body, shape=small_vit(signal, patch=1), stem=stem),
        load_task("digits"),
    )
    assert build(spec, 0).blocks["tokens"].grid == (4, 4)
