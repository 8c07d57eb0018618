import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pomona.foundation.errors import DataError, SettingError
from pomona.networks.bigbird import BigBirdEncoder, BigBirdSettings, layer_pattern, start
from pomona.networks.bigbird_heads import MaskedLanguageModel, best_span
from pomona.networks.bigbird_weights import load_bigbird
from pomona.nn.leaves import weights_outside_leaves

RECORDED = np.load(Path(__file__).parents[1] / "oracles" / "bigbird_huggingface.npz")
EVERY = 16
SMALL = BigBirdSettings(
    num_steps=256, num_positions=256, num_tokens=30, width=16, num_layers=2, num_heads=2, inner_width=24,
    block_size=16, dropout=0.0,
)  # fmt: skip
CASES = (
    (1024, 64, "release"),
    (1024, 64, "port"),
    (1000, 32, "release"),
    (1000, 32, "port"),
    (320, 32, "release"),
    (200, 32, "port"),
)


@pytest.fixture
def folder(tmp_path):
    """A function that writes the recorded weights of a head as a folder of Hugging Face's."""

    def write(head, **changes):
        config = json.loads(str(RECORDED["config"]))
        (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
        start = f"{head}/weights/"
        weights = {
            k.removeprefix(start): torch.from_numpy(RECORDED[k]) for k in RECORDED if k.startswith(start)
        }
        # a tied matrix is stored once
        weights.pop("cls.predictions.decoder.weight", None)
        save_file(weights, tmp_path / "model.safetensors")
        return tmp_path

    return write


def inputs(num_steps):
    tokens = torch.from_numpy(np.random.default_rng(num_steps).integers(1, 60, (2, num_steps)))
    lengths = torch.tensor([num_steps, num_steps - num_steps // 5])
    return tokens, torch.arange(num_steps) < lengths[:, None]


@pytest.mark.parametrize("index", range(len(CASES)))
def test_the_encoder_is_hugging_faces_in_training_and_evaluation(folder, index):
    num_steps, block_size, faithful = CASES[index]
    model = load_bigbird(
        folder("masked-language", block_size=block_size), num_steps=num_steps, faithful=faithful
    ).double()
    tokens, mask = inputs(num_steps)
    with torch.no_grad():
        hidden = model(tokens, mask)[:, ::EVERY]
    real = mask[:, ::EVERY]
    np.testing.assert_allclose(hidden[real], RECORDED[f"cases/{index}"][real.numpy()], atol=1e-6)


@pytest.mark.parametrize("head", ["masked-language", "classes", "span", "tags"])
def test_every_head_is_hugging_faces(folder, head):
    model = load_bigbird(folder(head), head=head, num_steps=400, faithful="port").double()
    assert weights_outside_leaves(model) == []
    tokens, mask = inputs(400)
    with torch.no_grad():
        logits = model(tokens, mask)
    real = slice(None)
    if logits.ndim == 3:
        logits, real = logits[:, ::EVERY], mask[:, ::EVERY]
    np.testing.assert_allclose(logits[real], RECORDED[f"{head}/logits"][real], atol=1e-6)


def test_the_default_is_another_pattern_than_the_release(folder):
    tokens, mask = inputs(1024)
    model = load_bigbird(folder("masked-language", block_size=64), num_steps=1024).double()
    with torch.no_grad():
        apart = np.abs(model(tokens, mask)[:, ::EVERY].numpy() - RECORDED["cases/0"])
    assert apart.max() > 1e-3


def test_the_paper_draws_from_everywhere_and_the_release_from_the_first_1024_steps():
    base = BigBirdSettings()
    release = layer_pattern(replace(base, faithful="release"), 0)
    paper = layer_pattern(base, 0)
    port = layer_pattern(replace(base, faithful="port"), 0)
    last_rows = slice(40, 62)
    fixed = {0, 63}
    for row in range(40, 62):
        window = {row - 1, row, row + 1}
        drawn = set(release.keys[:, row].ravel().tolist()) - window - fixed
        assert max(drawn) < 16
    far = paper.keys[:, last_rows]
    assert ((far > 20) & (far < 38)).any()
    assert paper.counts().max() == 1
    assert port.counts()[:, last_rows, 0].min() == 4


def test_checkpointing_changes_no_gradient():
    tokens = torch.randint(0, 30, (2, 250), generator=torch.Generator().manual_seed(0))
    found = []
    for checkpointing in (False, True):
        model = BigBirdEncoder(replace(SMALL, checkpointing=checkpointing)).double()
        start(model, 3)
        model.train()(tokens).square().sum().backward()
        found.append([parameter.grad for parameter in model.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_training_lowers_the_loss_of_masked_words():
    model = MaskedLanguageModel(replace(SMALL, num_layers=1))
    start(model, 0)
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    tokens = torch.randint(2, 30, (4, 64), generator=generator)
    hidden = tokens.clone()
    hidden[:, ::7] = 1
    losses = []
    for _ in range(20):
        said = model(hidden)[:, ::7].flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(said, tokens[:, ::7].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_the_best_span_is_that_of_all_pairs():
    generator = torch.Generator().manual_seed(0)
    ends = torch.randn(20, 17, 2, generator=generator)
    for longest in (1, 4, 30):
        first, last = best_span(ends, longest)
        for row, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            pairs = [
                (float(ends[row, a, 0] + ends[row, b, 1]), a, b)
                for a, b in itertools.product(range(17), repeat=2)
                if a <= b < a + longest
            ]
            assert (begin, end) == max(pairs)[1:]


def test_what_is_no_bigbird_is_said_in_one_line(folder, tmp_path):
    with pytest.raises(DataError, match=r"config\.json"):
        load_bigbird(tmp_path / "nowhere")
    with pytest.raises(DataError, match="of a 'bert', wanted 'big_bird'"):
        load_bigbird(folder("classes", model_type="bert"))
    with pytest.raises(DataError, match="choose another head"):
        load_bigbird(folder("classes"), head="span")
    with pytest.raises(SettingError, match="num_steps is at most"):
        load_bigbird(folder("classes"), num_steps=5000)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(DataError, match="safetensors"):
        load_bigbird(tmp_path)
