"""Vision transformers of timm and transformers compute here what they compute there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from pomona.foundation.errors import ArtifactError, SpecError
from pomona.networks.build import build
from pomona.networks.vit_checkpoint import read_vit, timm_name
from pomona.networks.vit_weights import network_for_task, whole_network
from pomona.nn.position_grid import resized_positions
from pomona.tasks import load_task

RECORDED = dict(np.load(Path(__file__).parents[1] / "oracles" / "vit_peers.npz"))
NAMES = sorted({key.partition("/")[0] for key in RECORDED})


@pytest.fixture
def folder(tmp_path):
    def written(name, config=None, **tensors):
        start = f"{name}/files/"
        files = {
            k.removeprefix(start): RECORDED[k].astype(np.float32) for k in RECORDED if k.startswith(start)
        }
        plain = json.loads(str(RECORDED[f"{name}/config"])) | (config or {})
        (tmp_path / "config.json").write_text(json.dumps(plain))
        save_file({**files, **tensors}, tmp_path / "model.safetensors")
        return tmp_path

    return written


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_computes_what_its_maker_computed(name, folder):
    spec, state = whole_network(read_vit(folder(name)))
    network = build(spec, 0)
    network.load_state_dict(state)
    with torch.inference_mode():
        (y,) = network.eval()({"image": torch.from_numpy(RECORDED[f"{name}/image"])}).values()
    wanted = RECORDED[f"{name}/output"]
    assert y.shape == wanted.shape
    np.testing.assert_allclose(y.numpy(), wanted, rtol=0, atol=1e-5)


def test_older_names_of_hugging_face_are_known():
    old = "deit.encoder.layer.11.attention.attention.query.weight"
    assert timm_name(old) == timm_name("deit.layers.11.attention.q_proj.weight") == "blocks.11.attn.q.weight"
    assert timm_name("vit.encoder.layer.0.output.dense.bias") == "blocks.0.mlp.fc2.bias"
    assert timm_name("vit.encoder.layer.0.attention.output.dense.bias") == "blocks.0.attn.proj.bias"
    assert timm_name("blocks.7.attn.qkv.weight") == "blocks.7.attn.qkv.weight"


def test_for_another_task_positions_are_resized_and_pixels_mean_what_they_meant(folder):
    task = load_task("digits")
    checkpoint = read_vit(folder("timm-plain"))
    spec, state = network_for_task(checkpoint, task)
    whole, whole_state = whole_network(checkpoint)
    ours, theirs = build(spec, 0).eval(), build(whole, 0).eval()
    ours.load_state_dict(state)
    assert not state["blocks.head.linear.weight"].any()
    theirs.load_state_dict(whole_state)
    grey = torch.from_numpy(task.splits["valid"].read(np.arange(3))["image"])
    settings = task.preprocessing.steps[0].settings
    pixels = grey * settings["std"][0] + settings["mean"][0]
    standard = (pixels - torch.tensor(checkpoint.mean)[:, None, None]) / torch.tensor(checkpoint.std)[
        :, None, None
    ]
    with torch.inference_mode():
        ours_patches = ours.blocks["tokens"].patches(grey)
        torch.testing.assert_close(
            ours_patches, theirs.blocks["tokens"].patches(standard), rtol=1e-4, atol=1e-4
        )
    positions = whole_state["blocks.tokens.positions.embedding.weight"]
    torch.testing.assert_close(
        state["blocks.tokens.positions.embedding.weight"], resized_positions(positions, 1, (4, 4), (2, 2))
    )


def test_what_would_be_computed_wrongly_is_refused(folder, tmp_path):
    with pytest.raises(ArtifactError, match=r"should hold config\.json"):
        read_vit(tmp_path)
    with pytest.raises(ArtifactError, match="activation"):
        read_vit(folder("hf-classifier", {"hidden_act": "quick_gelu"}))
    with pytest.raises(ArtifactError, match=r"q_norm\.weight, which no plain"):
        read_vit(folder("timm-plain", **{"blocks.0.attn.q_norm.weight": np.ones(8, np.float32)}))
    with pytest.raises(ArtifactError, match="num_heads"):
        read_vit(folder("timm-plain", {"model_args": {}}))
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ArtifactError, match="not readable"):
        read_vit(tmp_path)


def test_a_task_without_one_image_is_refused(folder):
    with pytest.raises(SpecError, match="reads one image"):
        network_for_task(read_vit(folder("timm-plain")), load_task("iris"))
