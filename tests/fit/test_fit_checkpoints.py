"""Checkpoints are whole or absent, the last two are kept, and a damaged one is passed over."""

import json
import os

import pytest
import torch

from pomona.fit.checkpoints import latest_checkpoint, save_checkpoint
from pomona.foundation.errors import RunError


def state(step):
    return {"a/b": torch.full((3, 2), float(step)), "count": torch.tensor(step), "empty": torch.zeros(0)}


def save(folder, step, identity="mine"):
    save_checkpoint(folder, step, state(step), {"step": step, "name": "ä"}, identity=identity)


def test_a_checkpoint_comes_back_to_the_bit(tmp_path):
    tied = torch.randn(4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tensors = {
        "one": tied,
        "other": tied,
        "view": torch.arange(12).view(3, 4).T,
        "half": torch.ones(2, dtype=torch.bfloat16),
        "bytes": torch.arange(9, dtype=torch.uint8),
        "number": torch.tensor(1.5, requires_grad=True),
    }
    save_checkpoint(tmp_path, 7, tensors, {"x": 0.1, "list": [1, None]}, identity="mine")
    found = latest_checkpoint(tmp_path, identity="mine")
    assert found.step == 7
    assert found.state == {"x": 0.1, "list": [1, None]}
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert latest_checkpoint(tmp_path, identity="mine") is None
    assert latest_checkpoint(tmp_path / "absent", identity="mine") is None


def test_the_last_two_are_kept(tmp_path):
    for step in (3, 20, 100, 1000):
        save(tmp_path, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000000100.json",
        "000000100.safetensors",
        "000001000.json",
        "000001000.safetensors",
    ]
    assert latest_checkpoint(tmp_path, identity="mine").step == 1000


def test_a_damaged_one_is_removed_by_the_next_and_not_a_good_one(tmp_path):
    for step in (1, 9):
        save(tmp_path, step)
    (tmp_path / "000000009.safetensors").write_bytes(b"")
    save(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["000000001.json", "000000002.json"]


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "zeros"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path, suffix, damage):
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / f"000000002.{suffix}"
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:-5],
        "flip": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
        "empty": b"",
        "zeros": bytes(len(content)),
    }
    path.unlink() if damage == "gone" else path.write_bytes(damaged[damage])
    found = latest_checkpoint(tmp_path, identity="mine")
    assert found.step == 1
    assert torch.equal(found.tensors["a/b"], state(1)["a/b"])


def test_remains_of_a_write_that_was_cut_off_are_no_checkpoint(tmp_path):
    save(tmp_path, 1)
    whole = (tmp_path / "000000001.safetensors").read_bytes()
    (tmp_path / ".000000002.safetensors.abc").write_bytes(whole[:10])
    (tmp_path / "000000002.safetensors").write_bytes(whole)
    (tmp_path / "notes.json").write_text("{}")
    assert latest_checkpoint(tmp_path, identity="mine").step == 1


def test_a_whole_one_with_json_of_another_step_is_passed_over(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    plain = json.loads((tmp_path / "000000002.json").read_text())
    (tmp_path / "000000002.json").write_text(json.dumps({**plain, "step": 1}))
    assert latest_checkpoint(tmp_path, identity="mine").step == 1


def test_checkpoints_of_other_work_are_refused(tmp_path):
    save(tmp_path, 1, identity="theirs")
    with pytest.raises(RunError, match="other work"):
        latest_checkpoint(tmp_path, identity="mine")


def test_tensors_are_written_before_the_json_that_makes_them_count(tmp_path, monkeypatch):
    names = []
    replace = os.replace
    monkeypatch.setattr(
        os, "replace", lambda old, new: (names.append(os.path.basename(new)), replace(old, new))
    )
    save(tmp_path, 5)
    assert names == ["000000005.safetensors", "000000005.json"]
