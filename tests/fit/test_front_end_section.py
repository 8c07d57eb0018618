"""What a report says of a learned front end, and the numbers behind it."""

import json

import numpy as np
import torch

from pomona.fit.sections.front_end import write_front_end_section
from pomona.networks.filter_movement import filter_movements
from pomona.nn.front_ends import FRONT_ENDS
from pomona.tasks import load_task


def test_movements_are_those_that_were_made():
    front_end = FRONT_ENDS["leaf"](8000, 20, 201, 80)
    assert {movement.most for movement in filter_movements(front_end, 8000)} <= {
        movement.most for movement in filter_movements(front_end, 8000) if movement.most < 1e-6
    }
    with torch.no_grad():
        front_end.bank.filters.center.weight *= 1.1  # type: ignore[union-attr]
        front_end.compression.alpha.weight[3] = 0.5  # type: ignore[union-attr]
    found = {movement.quantity: movement for movement in filter_movements(front_end, 8000)}
    np.testing.assert_allclose(found["centre"].share, 0.1, rtol=1e-4)
    assert found["alpha"].share < 1e-6
    np.testing.assert_allclose(found["alpha"].most, 0.5, rtol=1e-5)
    assert found["bandwidth"].most < 1e-6


def test_filters_without_names_and_networks_without_front_end_have_none():
    assert filter_movements(FRONT_ENDS["td-filterbanks"](8000, 8, 51, 20), 8000) == []
    assert filter_movements(FRONT_ENDS["log-mel"](8000, 8, 51, 20), 8000) == []
    assert [m.quantity for m in filter_movements(FRONT_ENDS["sincnet"](8000, 8, 51, 20), 8000)] == [
        "lower edge",
        "upper edge",
    ]


def test_the_section_is_a_figure_and_all_numbers(tmp_path):
    task = load_task("bird-chirps", num_train=20)
    write_front_end_section(tmp_path, FRONT_ENDS["leaf"](8000, 20, 201, 80), task)
    (path,) = (tmp_path / "sections").glob("*.json")
    items = json.loads(path.read_text())["items"]
    assert [item["kind"] for item in items] == ["numbers", "scatter", *["line"] * 5, "table"]
    assert len(items[-1]["rows"]) == 20
    write_front_end_section(tmp_path / "other", FRONT_ENDS["log-mel"](8000, 8, 51, 20), task)
    assert not (tmp_path / "other").exists()
