"""LEAF against speechbrain's, its size, and the front ends as drop-ins for one another."""

from pathlib import Path

import numpy as np
import pytest
import torch
from network_samples import inputs_of, one_block, shaken

from pomona.export.onnx import onnx_bytes
from pomona.export.parity import check_parity
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.errors import DataError, SettingError
from pomona.networks.build import build
from pomona.networks.catalogue import NETWORKS
from pomona.networks.leaf import load_leaf, with_front_end
from pomona.networks.shapes import signals
from pomona.nn.front_ends import FRONT_ENDS, leaf
from pomona.tasks.feature import Feature

RECORDED = np.load(Path(__file__).parents[1] / "oracles" / "leaf_speechbrain.npz")


def recorded_weights(which: str) -> dict[str, torch.Tensor]:
    start = f"{which}/weights/"
    return {key.removeprefix(start): torch.from_numpy(RECORDED[key]) for key in RECORDED if start in key}


@pytest.mark.parametrize("which", ["start", "trained"])
def test_output_is_that_of_speechbrains_leaf(which):
    front_end = leaf(16_000, 40, 401, 160, faithful=True)
    load_leaf(front_end, recorded_weights(which))
    with torch.no_grad():
        y = front_end(torch.from_numpy(RECORDED["sound"]))
    expected = RECORDED[f"{which}/output"]
    assert y.shape == expected.shape
    assert np.abs(y.numpy() - expected).max() < 1e-4


def test_filters_start_where_speechbrains_do_but_for_its_rounding_to_bins():
    front_end = leaf(16_000, 40, 401, 160)
    centers, widths = recorded_weights("start")["complex_conv.kernel"].T
    bin_width = 2 * np.pi / 512
    assert (front_end.bank.filters.centers() - centers).abs().max() < 1.01 * bin_width
    # a filter of few bins is rounded most
    assert ((front_end.bank.filters.widths() - widths).abs() / widths)[20:].max() < 0.15


def test_seven_weights_a_filter():
    for num_filters, total in ((40, 280), (64, 448)):
        assert sum(p.numel() for p in leaf(16_000, num_filters, 401, 160).parameters()) == total


def test_a_checkpoint_that_is_not_leaf_is_refused():
    front_end = leaf(16_000, 40, 401, 160)
    weights = recorded_weights("start")
    with pytest.raises(DataError, match="is not 0"):
        load_leaf(front_end, {**weights, "pooling._bias": torch.ones(40)})
    with pytest.raises(DataError, match="alpha"):
        load_leaf(front_end, {key: value for key, value in weights.items() if "alpha" not in key})
    with pytest.raises(DataError, match="40 filters, the front end 20"):
        load_leaf(leaf(16_000, 20, 401, 160), weights)


def test_every_front_end_is_a_drop_in_for_log_mel():
    shapes = set()
    for kind in FRONT_ENDS:
        spec = one_block("front_end", "audio", {"kind": kind, "filters": 20})
        shapes.add(signals(spec)["b"].shape)
    assert shapes == {(15, 20)}


def test_a_network_changes_its_front_end_and_nothing_else():
    spec = one_block("melspectrogram", "audio", {"bands": 20})
    for kind in FRONT_ENDS:
        changed = with_front_end(spec, kind)
        assert signals(changed)["b"] == signals(spec)["b"]
        assert with_front_end(changed, "log-mel") == with_front_end(spec, "log-mel")
    with pytest.raises(SettingError, match="leaf"):
        with_front_end(spec, "laef")


@pytest.mark.parametrize("kind", list(FRONT_ENDS))
def test_onnx_runtime_computes_what_torch_computes(kind):
    network = shaken(build(one_block("front_end", "audio", {"kind": kind, "filters": 8}), 0)).eval()
    inputs = {name: x.numpy() for name, x in inputs_of(network.spec, dtype=torch.float32).items()}
    check_parity(TorchSession(network), OnnxSession(onnx_bytes(network, inputs)), (inputs,), tolerance=1e-4)


def test_front_ends_are_networks_by_name():
    class SoundTask:
        kind = "classify"
        inputs = {"x": Feature("x", "audio", (4000,), rate=8000)}  # noqa: RUF012
        targets = {"y": Feature("y", "category", (), classes=("a", "b"))}  # noqa: RUF012

    for kind in FRONT_ENDS:
        blocks = [
            block for block in NETWORKS[kind](SoundTask()).blocks if block.block in ("leaf", "front_end")
        ]  # type: ignore[arg-type]
        assert len(blocks) == 1
        assert blocks[0].block == "leaf" or blocks[0].args["kind"] == kind
