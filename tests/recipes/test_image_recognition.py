"""The recipe: every way of training, a checkpoint trained on, and who wins at which data size."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pomona.export.predictors.load import load
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.networks.signal import Signal
from pomona.networks.vit import small_vit
from pomona.recipes.image_recognition import WAYS, compare_data_sizes, fine_tune, subset, train
from pomona.tasks import load_task

RECORDED = dict(np.load(Path(__file__).parents[1] / "oracles" / "vit_peers.npz"))


@pytest.fixture(scope="module")
def digits():
    return load_task("digits")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_trains(way, digits):
    shape = small_vit(Signal("image", (1, 8, 8)), width=16, depth=2, heads=2)
    result = train(digits, way=way, shape=shape, steps=3, batch_size=8)
    assert not result.failed
    layers = [block for block in result.spec.blocks if block.block == "transformer"]
    assert layers[-1].args["drop_path"] == WAYS[way].layers.get("drop_path", 0.0)
    assert layers[0].args["drop_path"] == 0.0


def test_unknown_ways_and_settings_are_refused(digits):
    with pytest.raises(SettingError, match="did you mean 'deit'"):
        train(digits, way="diet")
    with pytest.raises(SettingError, match="no setting of a fit 'step'"):
        train(digits, step=3)


def test_a_checkpoint_is_trained_on_and_saved(digits, tmp_path):
    start = "timm-plain/files/"
    files = {k.removeprefix(start): v.astype(np.float32) for k, v in RECORDED.items() if k.startswith(start)}
    (tmp_path / "config.json").write_text(str(RECORDED["timm-plain/config"]))
    save_file(files, tmp_path / "model.safetensors")
    result = fine_tune(tmp_path, digits, out=tmp_path / "out", steps=20, batch_size=64)
    assert result.history[0]["loss"] == pytest.approx(np.log(10), abs=0.4)
    batch = digits.splits["test"].read(np.arange(4))
    said = load(tmp_path / "out").predict_batch(batch)["digit"]
    assert said.shape == (4, 10)


def test_subsets_of_a_seed_are_nested_and_differ_between_seeds(digits):
    def ids(size, seed):
        return set(subset(digits, size, seed=seed).splits["train"].ids)

    assert ids(30, 0) < ids(90, 0)
    assert ids(30, 0) != ids(30, 1)
    with pytest.raises(SettingError, match="5000 were asked for"):
        subset(digits, 5000, seed=0)


def test_a_comparison_has_a_row_for_every_size_and_network(digits):
    settings = FitSettings(steps=4, augment="none")
    rows = compare_data_sizes(digits, (20, 60), networks=("vit", "bit"), seeds=(0, 1), settings=settings)
    assert [(row.images, row.network) for row in rows] == [(20, "vit"), (20, "bit"), (60, "vit"), (60, "bit")]
    plain = json.loads(json.dumps(rows[0].to_json()))
    assert len(plain["accuracy"]) == 2
    assert plain["mean"] == pytest.approx(np.mean(rows[0].accuracy))
