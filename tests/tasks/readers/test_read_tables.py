import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.datasets
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from table_samples import lines, messy_breast_cancer, whole

from pomona.foundation.errors import DataError
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.preprocessing.numbers import fit_numbers

SHARED = Path(__file__).parents[4] / "shared" / "data"
BUNDLED = os.path.join(os.path.dirname(sklearn.datasets.__file__), "data")


def check(task):
    for split in task.splits:
        check_batch(whole(task, split), {**task.inputs, **task.targets})
    return task


def notes(task):
    return " | ".join(task.notes)


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    path = tmp_path_factory.mktemp("messy") / "messy.csv"
    messy_breast_cancer().to_csv(path, index=False)
    return path


def test_a_messy_table_teaches_what_it_knows(messy):
    """The bar of the breast-cancer table, with a linear model on the prepared arrays."""
    task = check(load_task(messy, target="diagnosis"))
    assert {step.kind for step in task.preprocessing.steps} == {"numbers", "dates", "bag", "categories"}
    assert "column 'patient' is different in every row" in notes(task)
    train, valid, test = (whole(task, split) for split in ("train", "valid", "test"))
    model = LogisticRegression(C=0.05, max_iter=2000).fit(train["columns"], train["diagnosis"])
    held_out = [(part["columns"], part["diagnosis"]) for part in (valid, test)]
    assert np.mean([model.score(*part) for part in held_out]) >= 0.94


def test_csv_parquet_pandas_and_polars_files_make_the_same_features(messy, tmp_path):
    frame = pd.read_csv(messy)
    frame.to_parquet(tmp_path / "pandas.parquet")
    pl.from_pandas(frame).write_parquet(tmp_path / "polars.parquet")
    frame.to_csv(tmp_path / "semicolon.csv", sep=";", index=False)
    task = load_task(messy, target="diagnosis")
    for name in ("pandas.parquet", "polars.parquet", "semicolon.csv"):
        other = load_task(tmp_path / name, target="diagnosis")
        assert other.inputs["columns"].shape == task.inputs["columns"].shape
        assert sum(source.size for source in other.splits.values()) == len(frame)


def test_preprocessing_is_fitted_on_training_rows_alone(messy, write):
    task = load_task(messy, target="diagnosis")
    frame = pd.read_csv(messy)
    train = frame.iloc[whole(task, "train")["id"]]
    step = next(step for step in task.preprocessing.steps if step.kind == "numbers")
    assert step == fit_numbers({name: train[name].to_numpy() for name in step.columns})
    absurd = write("absurd.csv", frame.head(20).assign(**{"mean radius": 1e9}).to_csv(index=False))
    usual = write("usual.csv", frame.head(20).to_csv(index=False))
    fitted = [load_task(messy, target="diagnosis", test=test).preprocessing for test in (absurd, usual)]
    assert fitted[0] == fitted[1]


def test_appended_rows_move_no_row(messy):
    frame = pd.read_csv(messy)
    more = frame.sample(40, random_state=0).assign(**{"mean radius": np.linspace(1, 2, 40)})
    longer = messy.parent / "longer.csv"
    pd.concat([frame, more]).to_csv(longer, index=False)
    task, again = load_task(messy, target="diagnosis"), load_task(longer, target="diagnosis")
    for split in task.splits:
        assert set(whole(task, split)["id"]) <= set(whole(again, split)["id"])


def test_the_bundled_iris_table_is_read():
    """Its header is "150,4,setosa,versicolor,virginica": sizes and names of classes."""
    task = check(load_task(os.path.join(BUNDLED, "iris.csv"), target="virginica"))
    assert (task.kind, task.inputs["columns"].shape) == ("classify", (4,))
    assert task.targets["virginica"].classes == ("0", "1", "2")


def test_a_header_shorter_than_its_rows_is_told():
    with pytest.raises(DataError, match="Expected 5 columns, got 14"):
        load_task(os.path.join(BUNDLED, "wine_data.csv"), target="class_0")


@pytest.mark.parametrize("name", ["keypoint", "point_history"])
def test_real_tables_without_names_are_read(name):
    path = SHARED / "gestures" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the shared data are not on this machine")
    task = check(load_task(path, target="column 1"))
    assert task.targets["column 1"].classes == ("0", "1", "2", "3")
    train, test = whole(task, "train"), whole(task, "test")
    model = ExtraTreesClassifier(20, random_state=0).fit(train["columns"], train["column 1"])
    assert model.score(test["columns"], test["column 1"]) > 0.9


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (lambda i: i % 2, "classify"),
        (lambda i: i % 7, "classify"),
        (lambda i: ["yes", "no"][i % 2], "classify"),
        (lambda i: ["True", "FALSE"][i % 2], "classify"),
        (lambda i: [0.5, 1.5][i % 2], "classify"),
        (lambda i: [0.5, 1.5, 2.5][i % 3], "regress"),
        (lambda i: i * i, "regress"),
        (lambda i: f"{i * 0.37:.2f}", "regress"),
        (lambda i: ["a|b", "b", "", "c|a"][i % 4], "multilabel"),
    ],
)
def test_the_kind_of_task_is_told_from_the_target(write, values, kind):
    path = write("t.csv", lines("x,y", lambda i: f"{i * 0.7:.1f},{values(i)}", 200))
    assert check(load_task(path, target="y")).kind == kind


def test_the_kind_can_be_chosen(write):
    path = write("t.csv", lines("x,y", lambda i: f"{i * 0.7:.1f},{i % 3}", 90))
    regress = check(load_task(path, target="y", kind="regress"))
    assert regress.targets["y"].kind == "number"
    assert load_task(path, target="y", kind="classify").targets["y"].classes == ("0", "1", "2")


def test_several_targets(write):
    path = write(
        "t.csv", lines("x,p,q,a,b", lambda i: f"{i * 0.7:.1f},{i % 2},{i // 2 % 2},{i * 0.3:.1f},{i * i}", 80)
    )
    labels = check(load_task(path, target=("p", "q")))
    assert labels.kind == "multilabel"
    assert labels.targets["labels"].classes == ("p", "q")
    rows = whole(labels, "train")
    np.testing.assert_array_equal(rows["labels"][:, 0], rows["id"] % 2)
    numbers = check(load_task(path, target=("a", "b")))
    assert list(numbers.targets) == ["a", "b"]
    np.testing.assert_allclose(whole(numbers, "train")["a"], whole(numbers, "train")["id"] * 0.3, atol=0.051)
    two = check(load_task(path, target=("p", "q"), kind="classify"))
    assert {feature.kind for feature in two.targets.values()} == {"category"}


def test_cells_without_labels_hold_no_class(write):
    path = write("t.csv", lines("x,y", lambda i: f"{i * 0.7:.1f},{['a|b', '', 'b'][i % 3]}", 90))
    batch = whole(load_task(path, target="y"), "train")
    expected = np.array([[1, 1], [0, 0], [0, 1]])[batch["id"] % 3]
    np.testing.assert_array_equal(batch["y"], expected)


def test_a_class_for_every_word(write):
    path = write(
        "t.csv", lines("text,tags", lambda i: f"dog {i} barks{' now' * (i % 3)},N M V{' A' * (i % 3)}")
    )
    task = check(load_task(path, target="tags", kind="sequence"))
    batch = whole(task, "train")
    assert task.targets["tags"].shape == task.inputs["text"].shape == (5,)
    np.testing.assert_array_equal(batch["tags.mask"], batch["text.mask"])
    assert task.targets["tags"].classes == ("A", "M", "N", "V")


def test_text_alone_becomes_tokens(write):
    path = write(
        "t.csv", lines("query,intent", lambda i: f"please play song number {i},{['play', 'stop'][i % 2]}")
    )
    task = check(load_task(path, target="intent"))
    assert task.inputs["query"].kind == "tokens"


def test_single_words_alone_become_characters(write):
    """Such as surnames, which are all different and yet tell a country."""
    rows = lines(
        "surname,y", lambda i: f"{'aeiou'[i % 5]}{i:x}{['ov', 'sen'][i % 2]},{['ru', 'no'][i % 2]}", 120
    )
    task = check(load_task(write("t.csv", rows), target="y"))
    assert task.inputs["surname"].kind == "tokens"
    assert task.preprocessing.steps[0].settings["unit"] == "character"


def test_texts_of_two_words_are_texts_and_not_categories(write):
    rows = lines(
        "name,x,y",
        lambda i: f"{'abcdefg'[i % 7]}{i % 90} {['ov', 'sen'][i % 2]},{i * 0.7:.1f},{'pq'[i % 2]}",
        150,
    )
    task = check(load_task(write("t.csv", rows), target="y"))
    assert {step.kind for step in task.preprocessing.steps} == {"numbers", "bag"}


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
def test_separators_are_told(write, separator):
    def row(i):
        return separator.join([f"{i * 0.7:.1f}", '"a, b; c"' if i % 2 else "d", "pq"[i % 2]])

    path = write("t.csv", lines(separator.join(["x", "text", "y"]), row))
    task = check(load_task(path, target="y"))
    assert {step.columns for step in task.preprocessing.steps} == {("x",), ("text",)}


def test_decimal_commas_are_the_same_numbers(write):
    comma = write("comma.csv", lines("x;y", lambda i: f"{i},{i % 10}5;{i * 3 % 11},5"))
    point = write("point.csv", lines("x;y", lambda i: f"{i}.{i % 10}5;{i * 3 % 11}.5"))
    first, second = (load_task(path, target="y", kind="regress") for path in (comma, point))
    assert sorted(whole(first, "train")["y"]) != []
    parts = [np.concatenate([whole(task, split)["y"] for split in task.splits]) for task in (first, second)]
    np.testing.assert_array_equal(np.sort(parts[0]), np.sort(parts[1]))
    assert first.preprocessing.steps[0].settings["decimal"] == ","


def test_thousands_and_currencies_are_numbers(write):
    path = write(
        "t.csv", lines("a,b,y", lambda i: f'"{i + 1},{i * 37 % 1000:03d}","${i},000.50",{"pq"[i % 2]}')
    )
    task = check(load_task(path, target="y"))
    assert [step.kind for step in task.preprocessing.steps] == ["numbers"]
    assert task.preprocessing.steps[0].settings["center"][0] > 10_000


def test_byte_order_marks_quotes_and_newlines_in_cells(write):
    rows = lines('"a","b\nc",y', lambda i: f'{i * 0.7:.1f},"line one\nline, ""two"" {i % 3}","{"pq"[i % 2]}"')
    task = check(load_task(write("t.csv", "\ufeff" + rows), target="y"))
    assert ("b\nc",) in {step.columns for step in task.preprocessing.steps}
    assert sum(source.size for source in task.splits.values()) == 60


def test_windows_line_ends_and_blank_lines(write):
    rows = "\n\n" + lines("x,y", lambda i: f"{i * 0.7:.1f},{'pq'[i % 2]}") + "\n\n"
    task = check(load_task(write("t.csv", rows.replace("\n", "\r\n")), target="y"))
    assert task.targets["y"].classes == ("p", "q")
    assert sum(source.size for source in task.splits.values()) == 60


def test_dates_of_several_formats_are_dates(write):
    def row(i):
        day, month = i % 28 + 1, i % 12 + 1
        mixed = (f"2020-{month:02d}-{day:02d}", f"2020/{month:02d}/{day:02d}", f"{day:02d}.{month:02d}.2020")[
            i % 3
        ]
        return (
            f"2020-{month:02d}-{day:02d}T{i % 24:02d}:00:00Z,{day:02d}/{month:02d}/2021,{mixed},{'pq'[i % 2]}"
        )

    task = check(load_task(write("t.csv", lines("a,b,c,y", row)), target="y"))
    assert [step.kind for step in task.preprocessing.steps] == ["dates"] * 3


def test_columns_that_cannot_help_are_left_out_with_a_note(write):
    header = "empty,constant,counter,id,x,y"
    path = write("t.csv", lines(header, lambda i: f",7,{i + 1},u{i * 7919},{i * 0.7:.1f},{'pq'[i % 2]}"))
    task = check(load_task(path, target="y"))
    assert task.preprocessing.columns == ("x",)
    for name in header.split(",")[:4]:
        assert f"column {name!r}" in notes(task)


def test_odd_words_among_numbers_count_as_missing_with_a_note(write):
    path = write("t.csv", lines("x,y", lambda i: f"{'?' if i % 15 == 0 else i * 0.7},{'pq'[i % 2]}", 150))
    task = check(load_task(path, target="y"))
    assert "'?' there counts as missing" in notes(task)
    assert task.inputs["columns"].shape == (2,)


def test_not_a_number_and_infinity_are_missing_in_columns_and_dropped_in_targets(write):
    def row(i):
        target = ["inf", "NaN", "", i * 0.5][i % 4] if i % 3 == 0 else i * 0.5
        return f"{['inf', 'nan', i * 0.3, i * 0.7][i % 4]},{target}"

    task = check(load_task(write("t.csv", lines("x,y", row, 120)), target="y", kind="regress"))
    assert "30 rows of t.csv without a target were left out" in notes(task)
    assert sum(source.size for source in task.splits.values()) == 90


def test_a_group_stays_in_one_split(write):
    path = write("t.csv", lines("x,who,y", lambda i: f"{i * 0.7:.1f},person {i % 20},{'pq'[i % 2]}", 300))
    task = check(load_task(path, target="y", group="who"))
    assert "who" not in task.preprocessing.columns
    groups = [set(whole(task, split)["group"]) for split in task.splits]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 20


def test_given_files_are_the_splits(write):
    def row(i):
        return f"{i * 0.7:.1f},{'pq'[i % 2]}"

    data, valid = (
        write("data.csv", lines("x,y", row, 100)),
        write("valid.csv", lines("y,x", lambda i: f"p,{i}", 7)),
    )
    test = write("test.csv", "x,y,more\n1,p,\n2,q,\n3,new,\n4,,\n")
    task = check(load_task(data, target="y", valid=valid, test=test))
    assert {split: source.size for split, source in task.splits.items()} == {
        "train": 100,
        "valid": 7,
        "test": 2,
    }
    assert "1 rows of test.csv have a class that training lacks ('new')" in notes(task)
    assert "1 rows of test.csv without a target" in notes(task)
    only_test = load_task(data, target="y", test=test)
    assert only_test.splits["train"].size + only_test.splits["valid"].size == 100


def test_ignored_columns_are_not_used(write):
    path = write("t.csv", lines("a,b,y", lambda i: f"{i * 0.7:.1f},{i * 0.3:.1f},{'pq'[i % 2]}"))
    assert load_task(path, target="y", ignore=("b",)).preprocessing.columns == ("a",)


def test_a_table_without_names_gets_some(write):
    path = write("t.csv", lines("0,0.5,0.5", lambda i: f"{i % 2},{i * 0.7:.1f},{i * 0.3:.1f}"))
    task = check(load_task(path, target="column 1"))
    assert "no line of names" in notes(task)
    assert sum(source.size for source in task.splits.values()) == 61


@pytest.mark.parametrize("name", ["weight", "group", "id", "columns"])
def test_targets_with_names_that_mean_something_else_are_renamed(write, name):
    path = write("t.csv", lines(f"x,{name}", lambda i: f"{i * 0.7:.1f},{i * i * 0.1:.1f}"))
    task = check(load_task(path, target=name))
    assert list(task.targets) == [f"{name}_column"]


def test_parquet_types_are_read(tmp_path):
    size = 60
    days = np.datetime64("2020-01-01") + np.arange(size)
    table = pa.table(
        {
            "whole": pa.array([None if i % 9 == 0 else i * 3 % 11 for i in range(size)], pa.int32()),
            "truth": pa.array([i % 2 == 0 if i % 7 else None for i in range(size)]),
            "day": pa.array(days, pa.date32()),
            "moment": pa.array(days.astype("datetime64[us]"), pa.timestamp("ns", tz="Europe/Berlin")),
            "kind": pa.array([["a", "b"][i % 2] for i in range(size)]).dictionary_encode(),
            "price": pa.array([i * 0.25 for i in range(size)]).cast(pa.decimal128(10, 2)),
            "point": pa.array([[i * 1.0, i * 2.0] for i in range(size)], pa.list_(pa.float32(), 2)),
            "clock": pa.array([i * 60 for i in range(size)], pa.time32("s")),
            "nested": pa.array([{"a": i} for i in range(size)]),
            "y": pa.array(["pq"[i % 2] for i in range(size)]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=7)
    task = check(load_task(tmp_path / "t.parquet", target="y"))
    kinds = [step.kind for step in task.preprocessing.steps]
    assert sorted(kinds) == ["categories", "categories", "dates", "dates", "numbers", "vector"]
    assert "'nested' is of a type that is not used" in notes(task)
    assert load_task(tmp_path / "t.parquet", target="point").targets["point"].shape == (2,)


def test_a_folder_of_parquet_files_is_one_table(tmp_path):
    frame = messy_breast_cancer()
    for index, rows in enumerate(np.array_split(np.arange(len(frame)), 4)):
        (tmp_path / f"year={index}").mkdir()
        frame.iloc[rows].to_parquet(tmp_path / f"year={index}" / "part.parquet")
    task = check(load_task(tmp_path, target="diagnosis"))
    assert sum(source.size for source in task.splits.values()) == len(frame)
