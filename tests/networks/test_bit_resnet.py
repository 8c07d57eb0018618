"""The convolutional rival: timm's units, published sizes, and standardised kernels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pomona.foundation.errors import SettingError
from pomona.networks.bit_resnet import sized_bit_body
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.named import named_spec
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec
from pomona.nn.standardised_convolution import standardised
from pomona.tasks import load_task
from pomona.tasks.feature import Feature

NAMES = {
    "first_norm": "norm1",
    "narrow.convolution": "conv1",
    "second_norm": "norm2",
    "spatial.convolution": "conv2",
    "third_norm": "norm3",
    "widen.convolution": "conv3",
    "skip.convolution": "downsample.conv",
}


def test_units_compute_what_timm_computes():
    recorded = np.load(Path(__file__).parents[1] / "oracles" / "bit_timm.npz")
    blocks = (
        Block("0_blocks_0", "bottleneck", {"width": 64}, ("x",)),
        Block("1_blocks_0", "bottleneck", {"width": 128, "stride": 2}, ("0_blocks_0",)),
        Block("1_blocks_1", "bottleneck", {"width": 128}, ("1_blocks_0",)),
    )
    spec = Spec({"x": Feature("x", "image", (16, 9, 8))}, blocks, {"y": "1_blocks_1"})
    network = build(spec, 0)
    state = {}
    for name in network.state_dict():
        _, block_id, rest = name.split(".", 2)
        ours, _, part = rest.rpartition(".")
        theirs = f"weights/{block_id.replace('_', '.')}.{NAMES[ours]}.{part}"
        state[name] = torch.from_numpy(recorded[theirs].astype(np.float32))
    network.load_state_dict(state)
    with torch.inference_mode():
        y = network({"x": torch.from_numpy(recorded["x"])})["y"]
    np.testing.assert_allclose(y.numpy(), recorded["y"], rtol=1e-5, atol=1e-5 * np.abs(recorded["y"]).max())


def test_published_sizes_have_the_published_number_of_weights():
    signal = Signal("image", (3, 224, 224))
    for name, published in (("r50x1", 25_549_352), ("r101x1", 44_541_480)):
        blocks = sized_bit_body(name)(signal, "x")
        blocks.append(Block("head", "head", {"shape": (1000,)}, (blocks[-1].id,)))
        spec = Spec({"x": Feature("x", "image", signal.shape)}, tuple(blocks), {"y": "head"})
        assert parameters(spec) == published


def test_kernels_have_mean_0_and_variance_1_whatever_their_size():
    weight = 7 + 3 * torch.randn(5, 4, 3, 3, dtype=torch.float64)
    kernels = standardised(weight).flatten(1)
    torch.testing.assert_close(kernels.mean(1), torch.zeros(5, dtype=torch.float64))
    torch.testing.assert_close(kernels.var(1, correction=0), torch.ones(5, dtype=torch.float64))
    torch.testing.assert_close(standardised(2 * weight + 1), standardised(weight))


def test_names_of_any_size():
    task = load_task("digits")
    assert named_spec("bit-r26x2", task).block("stage1_1").args["width"] == 512
    for wrong in ("bit-50x1", "bit-r51x1", "bit-r50x9"):
        with pytest.raises(SettingError, match="bit-r50x1"):
            named_spec(wrong, task)
