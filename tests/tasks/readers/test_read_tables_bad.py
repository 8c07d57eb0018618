"""Bad tables: one clear line that says what is wrong and what to do."""

import numpy as np
import pandas as pd
import pytest
from table_samples import lines

from pomona.foundation.errors import DataError, InputError, SettingError
from pomona.tasks import load_task

GOOD = lines("x,colour,Label", lambda i: f"{i * 0.7:.1f},{'abc'[i % 3]},{'pq'[i % 2]}")


def refused(path, match, **options):
    with pytest.raises(InputError, match=match) as raised:
        load_task(path, **options)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2
    return raised.value


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "is empty"),
        ("\n \n\n", "is empty"),
        ("x,y\n", "has no rows, only a header"),
        ("x,y\n1,2\n", "1 rows with a target; at least 10"),
        (lines("x,y", lambda i: f"{i * 0.7},{i % 2}", 9), "9 rows with a target; at least 10"),
        (lines("x,y", lambda i: f"{i * 0.7},p"), "only one class in training, 'p'"),
        (lines("x,y", lambda i: f"{i * 0.7},"), "'y' is missing in every row"),
        (lines("x,y", lambda i: f"{i * 0.7},nan"), "'y' is missing in every row"),
        (lines("x,y", lambda i: f"{i * 0.7},u{i}"), "'y' has .* different values .* looks like an id"),
        (lines("x,x,y", lambda i: f"1,2,{i % 2}"), "more than one column is named 'x'"),
        (lines("y", lambda i: str(i % 2)), "no column besides y"),
        (
            lines("x,z,y", lambda i: f",{i},{i % 2}"),
            "no column can be used.*'x' is empty.*'z' counts the rows",
        ),
        ("x,y\n1,2\n3\n" + GOOD, "not an even table: Row #3: Expected 2 columns, got 1"),
        ('x,y\n1,2\n"3,4\n' + GOOD, "not an even table"),
        (GOOD.replace("Label", "y").replace("\n", "\x00\n", 3), "binary file"),
        (lines("x,y", lambda i: f"1,{i % 2}"), "1 different examples or groups are too few"),
    ],
)
def test_a_table_that_teaches_nothing_is_refused(write, content, match):
    refused(write("t.csv", content), match, target="y")


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "none.csv", "no such file or folder", target="y")
    refused(tmp_path / "none.csv", "no such file", target="y", valid=tmp_path / "none.csv")


def test_a_missing_target_is_refused_with_near_names(write):
    path = write("t.csv", GOOD)
    refused(path, "give --target; it has x, colour, Label")
    refused(path, "for the target; did you mean 'Label'. It has x, colour, Label", target="label")
    refused(path, "no column 'color' for the target; did you mean 'colour'", target="color")
    refused(path, "no column 'zzz' for the target; it has x, colour, Label", target="zzz")
    refused(path, "no column 'who' for the group", target="Label", group="who")
    refused(path, "no column 'who' for the columns to ignore", target="Label", ignore=("who",))


def test_a_table_that_lies_in_one_column_tells_so(write):
    path = write("t.csv", lines("a b y", lambda i: f"{i} {i} {i % 2}"))
    refused(path, "it has a b y alone: separate columns by commas", target="y")


def test_files_of_splits_must_have_the_columns(write):
    path, valid = write("t.csv", GOOD), write("v.csv", "x,Label\n1,p\n")
    refused(path, "v.csv has no column 'colour' for the valid split", target="Label", valid=valid)
    refused(path, "has no row with a target", target="Label", valid=write("w.csv", "x,colour,Label\n1,a,\n"))
    refused(path, "valid is empty", target="Label", valid=write("u.csv", "x,colour,Label\n1,a,new\n"))


@pytest.mark.parametrize(
    ("encoding", "match"),
    [
        ("latin-1", "not UTF-8: byte 0xe9 in line 2; if it is Latin-1, convert it: iconv"),
        ("utf-16", "text in UTF-16: save it as UTF-8"),
        ("utf-16-le", "binary file|zero byte"),
    ],
)
def test_text_that_is_not_utf8_is_refused(write, encoding, match):
    text = lines("x,y", lambda i: f"é{i % 7},{i % 2}")
    refused(write("t.csv", text.encode(encoding)), match, target="y")


def test_the_line_of_a_wrong_byte_is_told_in_a_large_file(write):
    text = lines("x,y", lambda i: f"é{'long ' * 20}{i},{i % 2}", 20_000).encode()
    broken = text[:-10] + b"\xff" + text[-10:]
    refused(write("t.csv", broken), "byte 0xff in line 20001", target="y")
    refused(write("u.csv", text + "é".encode()[:1]), "cut off", target="y")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "named like a table in text .CSV. but is an image"),
        ("t.parquet", b"PK\x03\x04" + bytes(50), "is a truncated zip or npz archive"),
        ("t.parquet", GOOD.encode(), "named like a Parquet table but is a table in text"),
        ("t.parquet", b"PAR1" + bytes(50), "no whole Parquet file"),
        ("t.csv", b"PAR1" + bytes(50), "but is a Parquet table"),
        ("t.wav", GOOD.encode(), "named like a recording but is a table in text"),
        ("t.csv", b"\x1f\x8b" + bytes(50), "compressed with gzip: unpack it"),
        ("t.csv", b"%PDF-1.4 ", "a PDF document"),
        ("t.csv", b"\xd0\xcf\x11\xe0" + bytes(50), "old Excel"),
        ("t.npy", b"\x93NUMPY" + bytes(50), "numpy.savez"),
        ("t.csv", b"\x7fELF" + bytes(50), "a program"),
    ],
)
def test_a_file_that_is_something_else_is_refused(write, name, content, match):
    refused(write(name, content), match, target="Label")


def test_an_excel_file_is_told_to_be_one(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.csv", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    refused(tmp_path / "t.csv", "an Excel or Word file: save it as CSV", target="y")


def test_targets_of_unlike_kinds_are_refused(write):
    path = write("t.csv", lines("x,a,b", lambda i: f"{i * 0.7},{i % 2},{i * i}"))
    refused(path, "unlike kinds .'a': classify, 'b': regress.; give --kind", target=("a", "b"))
    refused(path, "wanted only 0 and 1", target=("a", "b"), kind="multilabel")


@pytest.mark.parametrize("kind", ["segment", "language", "forecast"])
def test_kinds_that_a_table_cannot_be_are_refused(write, kind):
    error = refused(write("t.csv", GOOD), "a table makes a task of kind classify", target="Label", kind=kind)
    assert isinstance(error, SettingError)


def test_a_tag_for_every_word_is_needed(write):
    path = write("t.csv", lines("text,tags", lambda i: f"dog {i} barks,N M{' V' * (i != 7)}"))
    refused(path, "row 8 of .* has 3 words and 2 tags", target="tags", kind="sequence")


def test_words_cannot_be_regressed(write):
    refused(write("t.csv", GOOD), "'Label' is not of numbers .it has 'p'.", target="Label", kind="regress")


def test_a_target_that_is_constant_cannot_be_regressed(write):
    path = write("t.csv", lines("x,y", lambda i: f"{i * 0.7},5"))
    refused(path, "is 5 in every training row", target="y", kind="regress")


def test_ten_thousand_columns_are_read(tmp_path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        generator.normal(size=(40, 10_000)).round(2), columns=[f"c{i}" for i in range(10_000)]
    )
    frame["y"] = np.arange(40) % 2
    frame.to_csv(tmp_path / "wide.csv", index=False)
    task = load_task(tmp_path / "wide.csv", target="y")
    assert task.inputs["columns"].shape == (10_000,)


def test_columns_that_become_too_many_features_are_refused_with_a_way_out(tmp_path):
    generator = np.random.default_rng(0)
    cells = generator.choice(list("abcdefghij"), size=(60, 6000))
    frame = pd.DataFrame(cells, columns=[f"c{i}" for i in range(6000)])
    frame["y"] = np.arange(60) % 2
    frame.to_parquet(tmp_path / "wide.parquet")
    refused(tmp_path / "wide.parquet", "6000 columns become .* numbers a row.*--ignore", target="y")


def test_very_long_text_is_cut_and_a_row_without_end_is_refused(write, monkeypatch):
    path = write("t.csv", lines("text,y", lambda i: f"{'word ' * 20_000}{i},{i % 2}", 20))
    assert load_task(path, target="y").inputs["text"].shape == (256,)
    monkeypatch.setattr("pomona.tasks.readers.text_table.BLOCK_BYTES", 1 << 12)
    refused(path, "is a quote not closed", target="y")


def test_parts_with_unlike_columns_are_refused(tmp_path):
    pd.DataFrame({"a": [1], "y": [1]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"b": [1], "y": [1]}).to_parquet(tmp_path / "2.parquet")
    refused(tmp_path, "unlike columns: only one has a, b", target="y")


def test_nothing_is_left_of_a_table_that_is_refused(write, tmp_path):
    path = write("t.csv", GOOD)
    before = path.read_bytes()
    with pytest.raises(DataError):
        load_task(path, target="x y z")
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]
    assert path.read_bytes() == before
