"""`predict` as a command: rows for a person or a program, on the screen or in a file."""

import csv
import json

import numpy as np
import pytest
from pyarrow import parquet

from pomona.export import load
from pomona.export.command import predict_command
from pomona.foundation.errors import SettingError


@pytest.fixture
def records(saved, tmp_path):
    """Kind of task → a saved network and an npz file of five raw records for it."""

    def of_kind(kind: str):
        model = saved(kind)
        source = model.task.splits["valid"]
        batch = getattr(source, "source", source).read(np.arange(5))
        columns = model.task.preprocessing.columns or tuple(model.task.inputs)
        if not set(columns) <= set(batch):
            pytest.skip("the built-in task keeps no raw records")
        np.savez(tmp_path / "records.npz", **{name: batch[name] for name in columns})
        return model, tmp_path / "records.npz"

    return of_kind


def test_a_row_has_name_prediction_and_probability(records):
    model, path = records("classify")
    result = predict_command(model.folder, path)
    probabilities = load(model.folder).predict_proba(path)
    assert (result["kind"], result["count"]) == ("classify", 5)
    assert [row["name"] for row in result["predictions"]] == ["1", "2", "3", "4", "5"]
    assert [row["prediction"] for row in result["predictions"]] == load(model.folder).predict(path)
    np.testing.assert_allclose([row["probability"] for row in result["predictions"]], probabilities.max(1))


def test_several_targets_are_told_apart(records):
    model, path = records("several")
    row = predict_command(model.folder, path)["predictions"][0]
    assert set(row["prediction"]) == set(row["probability"]) == set(model.task.targets)


def test_labels_have_a_probability_each(records):
    model, path = records("multilabel")
    (target,) = model.task.targets.values()
    row = predict_command(model.folder, path)["predictions"][0]
    assert tuple(row["probability"]) == target.classes
    assert row["prediction"] == [name for name, p in row["probability"].items() if p >= 0.5]


@pytest.mark.parametrize("kind", ["classify", "multilabel", "segment", "several"])
def test_files_hold_what_is_printed(records, tmp_path, kind):
    model, path = records(kind)
    printed = json.loads(
        json.dumps(predict_command(model.folder, path)["predictions"], default=np.ndarray.tolist)
    )
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        result = predict_command(model.folder, path, out=tmp_path / name)
        assert (result["out"], result["count"]) == (str(tmp_path / name), 5)
        assert "predictions" not in result
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == printed
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == printed
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, wanted in zip(rows, printed, strict=True):
        assert row.keys() == wanted.keys()
        for column, value in wanted.items():
            assert row[column] == value or json.loads(row[column]) == value


def test_a_form_of_file_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    with pytest.raises(SettingError, match=r"\.csv, \.parquet, \.jsonl files, not to 'a\.xls'"):
        predict_command(tmp_path / "nowhere", "x.csv", out=tmp_path / "a.xls")
