import json

import numpy as np
import pytest

from pomona.foundation.files import (
    append_line,
    new_folder,
    read_json,
    read_lines,
    to_json,
    write_bytes,
    write_json,
)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    write_bytes(tmp_path / "a", b"old")
    with pytest.raises(TypeError):
        write_bytes(tmp_path / "a", "not bytes")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_json_is_strict(tmp_path):
    value = {"nan": float("nan"), "array": np.array([[1, 2.5]]), "scalar": np.float32(0.5), "path": tmp_path}
    write_json(tmp_path / "a.json", value)
    expected = {"nan": None, "array": [[1.0, 2.5]], "scalar": 0.5, "path": str(tmp_path)}
    assert read_json(tmp_path / "a.json") == expected
    assert json.loads(to_json({"s": {1}})) == {"s": [1]}
    with pytest.raises(TypeError, match="no JSON form"):
        to_json(object())


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a") as folder:
        (folder / "one").write_text("1")
        assert not (tmp_path / "a").exists()
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a") as folder:
        (folder / "two").write_text(str(1 / 0))
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["one"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    for text in ("old", "new"):
        with new_folder(tmp_path / "a") as folder:
            (folder / text).write_text(text)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_line_that_was_cut_off_is_not_read(tmp_path):
    path = tmp_path / "lines.jsonl"
    assert read_lines(path) == []
    append_line(path, '{"a": 1}')
    append_line(path, "[2]")
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"b": ')
    assert read_lines(path) == [{"a": 1}, [2]]
