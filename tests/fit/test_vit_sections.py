"""The sections of a vision transformer's report: numbers beside pictures, and none for other networks."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from pomona.fit.assessment import assess
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.sections.vit import lit, tiled, write_vit_sections
from pomona.networks import vit_insight
from pomona.networks.build import build
from pomona.networks.named import named_spec
from pomona.tasks import load_task


def written(name, folder, task=None):
    """The sections of an untrained network, and the network."""
    task = task or load_task("digits")
    network = build(named_spec(name, task), 0)

    def predict(batch):
        with evaluating(network):
            return predictions(network(to_tensors(batch, task, place_of(network))), task)

    write_vit_sections(folder, network, assess(predict, task, "test"))
    paths = sorted((folder / "sections").glob("*.json"))
    return {path.stem[3:]: json.loads(path.read_text())["items"] for path in paths}, network


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return written("vit", tmp_path_factory.mktemp("run"))


def item(items, kind):
    return next(item for item in items if item["kind"] == kind)


def test_positions_are_shown_as_a_picture_and_as_numbers(digits):
    sections, network = digits
    similarity = vit_insight.position_similarity(vit_insight.tokens_of(network))
    figures = {figure["name"]: figure["value"] for figure in item(sections["positions"], "numbers")["values"]}
    same, other = vit_insight.row_column_similarity(similarity)
    assert figures["cosine within a row or column"] == pytest.approx(same, abs=1e-6)
    assert figures["cosine with the others"] == pytest.approx(other, abs=1e-6)
    values = np.array(item(sections["positions"], "matrix")["values"])
    np.testing.assert_allclose(values, similarity.reshape(16, 16), atol=1e-6)
    (picture,) = item(sections["positions"], "images")["images"]
    pixels = Image.open(io.BytesIO(base64.b64decode(picture["png"])))
    assert pixels.size[0] == pixels.size[1] >= 360


def test_attention_has_a_distance_for_every_head_and_layer(digits):
    sections, _ = digits
    rows = item(sections["attention"], "table")["rows"]
    assert len(rows) == 4
    assert len(item(sections["attention"], "scatter")["points"]) == 16
    for layer, *heads, mean in rows:
        assert 1 <= layer <= 4
        assert mean == pytest.approx(np.mean(heads))
        assert all(0 < distance < 8 for distance in heads)


def test_roll_outs_have_shares_beside_their_pictures(digits):
    sections, _ = digits
    assert len(item(sections["rollout"], "images")["images"]) == 24
    rows = item(sections["rollout"], "table")["rows"]
    assert len(rows) == 12
    assert all(1 / 16 <= share <= 1 and 1 <= spread <= 16.001 for _, _, _, share, spread in rows)
    assert np.sum(item(sections["rollout"], "matrix")["values"]) == pytest.approx(1)


def test_filters_have_shares_of_variance(digits):
    sections, _ = digits
    shares = [bar["value"] for bar in item(sections["filters"], "bars")["values"]]
    assert sum(shares) == pytest.approx(1)
    assert len(item(sections["filters"], "images")["images"]) == len(shares) == 4


def test_a_hybrid_has_no_picture_of_its_filters_and_others_have_no_sections(tmp_path):
    sections, _ = written("vit-hybrid", tmp_path / "hybrid")
    assert "features of a stem" in item(sections["filters"], "text")["text"]
    assert written("bit", tmp_path / "bit")[0] == {}


def test_segmentation_is_shown_too(tmp_path):
    sections, _ = written("vit", tmp_path, load_task("shapes", num_train=20))
    assert set(sections) == {"positions", "filters", "attention", "rollout"}


def test_tiles_stand_where_their_patches_stand():
    similarity = np.zeros((2, 3, 2, 3))
    similarity[1, 2, 0, 1] = 1
    picture = tiled(similarity)
    assert picture.shape == (2 * 3 - 1, 3 * 4 - 1)
    assert np.argwhere(picture).tolist() == [[3, 9]]


def test_what_reaches_the_head_stays_bright():
    picture = np.ones((1, 4, 6))
    picture[0, 3, 5] = 0
    share = np.array([[0.0, 0.25], [0.25, 0.5]])
    shown = lit(picture, share)
    assert shown.shape == (1, 4, 6)
    assert shown[0, 0, 0] == pytest.approx(0.15)
    assert shown[0, 2, 4] == pytest.approx(1.0)
