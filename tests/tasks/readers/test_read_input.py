import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from media_samples import photo_folder, tone_folder
from PIL import Image
from sklearn.datasets import load_digits
from table_samples import lines, messy_breast_cancer

from pomona.foundation.errors import DataError
from pomona.tasks import Preprocessing, load_task
from pomona.tasks.readers import parquet_table, text_table
from pomona.tasks.readers.read_input import read_input
from pomona.tasks.source import FiniteSource, PreparedSource, batches


def prepared(task, source):
    raw = read_input(source, task.preprocessing, task.inputs)
    return PreparedSource(raw, task.preprocessing.apply).read(np.arange(raw.size))


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    path = tmp_path_factory.mktemp("messy") / "messy.csv"
    messy_breast_cancer().to_csv(path, index=False)
    return load_task(path, target="diagnosis"), path


def test_a_table_is_the_same_from_everywhere(messy, tmp_path):
    task, path = messy
    frame = pd.read_csv(path)
    frame.to_parquet(tmp_path / "t.parquet")
    expected = prepared(task, path)["columns"]
    as_dict = {name: frame[name].to_numpy() for name in frame.columns}
    sources = (
        str(path),
        tmp_path / "t.parquet",
        frame,
        frame.convert_dtypes(),
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        as_dict,
        frame.to_dict("list"),
        frame.to_dict("records"),
    )
    for source in sources:
        np.testing.assert_allclose(prepared(task, source)["columns"], expected, rtol=1e-6)


def test_rows_of_training_are_prepared_as_they_were(messy):
    task, path = messy
    train = task.splits["train"].read(np.arange(50))
    raw = read_input(path, task.preprocessing, task.inputs)
    again = task.preprocessing.apply(raw.read(train["id"]))
    np.testing.assert_array_equal(again["columns"], train["columns"])


def test_the_input_is_a_source_with_names(messy):
    task, path = messy
    raw = read_input(path, task.preprocessing, task.inputs)
    assert isinstance(raw, FiniteSource)
    assert raw.size == len(raw.names) == 569
    assert (raw.names[0], raw.names[-1], raw.names[1:3]) == ("1", "569", ["2", "3"])
    assert "diagnosis" not in raw.read(np.arange(2))


def test_rows_are_read_in_any_order_from_blocks(messy, tmp_path, monkeypatch):
    task, path = messy
    expected = prepared(task, path)["columns"]
    pd.read_csv(path).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(text_table, "BLOCK_BYTES", 16384)
    monkeypatch.setattr(parquet_table, "BLOCK_CELLS", 640)
    order = np.random.default_rng(0).permutation(569)
    for source in (path, tmp_path / "t.parquet"):
        raw = read_input(source, task.preprocessing, task.inputs)
        np.testing.assert_array_equal(task.preprocessing.apply(raw.read(order))["columns"], expected[order])
        parts = [task.preprocessing.apply(batch)["columns"] for batch in batches(raw, 50)]
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_one_row_may_be_a_dict_or_an_array(messy, write):
    path = write("t.csv", lines("a,b,y", lambda i: f"{i * 0.7:.1f},{i * 0.3:.1f},{'pq'[i % 2]}"))
    task = load_task(path, target="y")
    expected = prepared(task, {"a": [1.0], "b": [2.0]})["columns"]
    for source in ({"a": 1.0, "b": 2.0}, [{"a": 1, "b": 2}], np.array([1.0, 2.0]), np.array([[1.0, 2.0]])):
        np.testing.assert_array_equal(prepared(task, source)["columns"], expected)


def test_a_column_that_is_unlike_training_is_lenient(messy):
    task, path = messy
    frame = pd.read_csv(path).head(3)
    frame = frame.assign(visit=pd.to_datetime(frame["visit"]), clinic=["west", None, "north"], remarks=None)
    frame["mean radius"] = ["1e3", "no number", ""]
    assert np.isfinite(prepared(task, frame)["columns"]).all()


def test_images_come_as_files_folders_arrays_or_lists(tmp_path):
    folder = photo_folder(tmp_path / "photos")
    task = load_task(folder)
    file = folder / "china" / "0.png"
    expected = prepared(task, file)["image"]
    pixels = np.asarray(Image.open(file))
    for source in (str(file), [file], [str(file)], pixels, pixels[None], [pixels], {"image": pixels[None]}):
        np.testing.assert_allclose(prepared(task, source)["image"], expected, rtol=1e-5, atol=1e-5)
    raw = read_input(folder, task.preprocessing, task.inputs)
    assert raw.names[0] == "china/0.png"
    assert raw.size == 24


def test_unreadable_files_of_a_folder_are_left_out_with_a_warning(tmp_path):
    folder = photo_folder(tmp_path / "photos")
    task = load_task(folder)
    cut = (folder / "china" / "0.png").read_bytes()[:300]
    (folder / "china" / "cut.png").write_bytes(cut)
    with pytest.warns(UserWarning, match=r"1 of 25 files were left out.*cut.png"):
        raw = read_input(folder, task.preprocessing, task.inputs)
    assert raw.size == 24
    for index in range(8):
        (folder / f"cut{index}.png").write_bytes(cut)
    with pytest.raises(DataError, match="9 of 33 files"):
        read_input(folder, task.preprocessing, task.inputs)
    with pytest.raises(DataError, match=r"cut.png"):
        prepared(task, [folder / "china" / "0.png", folder / "china" / "cut.png"])


def test_digits_come_one_or_many(tmp_path):
    task, images = load_task("digits"), load_digits().images
    np.testing.assert_array_equal(prepared(task, images[0])["image"], prepared(task, images[:1])["image"])
    np.savez(tmp_path / "x.npz", x=images[:5])
    np.savez(tmp_path / "named.npz", image=images[:5], other=np.zeros(3))
    for file in ("x.npz", "named.npz"):
        np.testing.assert_array_equal(
            prepared(task, tmp_path / file)["image"], prepared(task, images[:5])["image"]
        )


def test_recordings_come_as_files_folders_or_arrays(tmp_path):
    folder = tone_folder(tmp_path)
    task = load_task(folder)
    one = prepared(task, folder / "low" / "0.wav")["audio"]
    np.testing.assert_array_equal(prepared(task, folder)["audio"][12], one[0])
    wave = np.sin(np.arange(2000.0))
    np.testing.assert_array_equal(prepared(task, wave)["audio"], prepared(task, [wave])["audio"])


def test_texts_come_alone_or_as_a_list_or_a_file(write):
    path = write("t.csv", lines("query,y", lambda i: f"please play song {i},{'pq'[i % 2]}"))
    task = load_task(path, target="y")
    expected = prepared(task, ["play song 7"])["query"]
    file = write("queries.txt", "play song 7\n")
    for source in ("play song 7", {"query": "play song 7"}, pd.DataFrame({"query": ["play song 7"]}), file):
        np.testing.assert_array_equal(prepared(task, source)["query"], expected)


def test_without_preprocessing_arrays_are_inputs():
    task = load_task("digits")
    raw = read_input({"image": np.zeros((2, 1, 8, 8), np.float32)}, Preprocessing(()), task.inputs)
    assert raw.read(np.arange(2))["image"].shape == (2, 1, 8, 8)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("nothing.csv", "no such file or folder"),
        ("nothing", "no such file or folder"),
        (5, "wanted a path, arrays, a table or texts"),
        (None, "wanted a path"),
        ([], "wanted a path"),
        ({}, "at least one array"),
        ({"a": np.zeros(3)}, "needs the column"),
        (np.zeros((3, 4)), "the model wants 33 columns"),
        (pd.DataFrame({"a": [1]}), "needs the column"),
        (pd.DataFrame({"mean radius": []}), "no examples"),
        (["a text"], "the model wants"),
    ],
)
def test_what_a_table_model_cannot_read_is_refused(messy, source, match):
    task, _ = messy
    task = load_task(messy[1], target="diagnosis")
    with pytest.raises(DataError, match=match):
        prepared(task, source)


def test_other_media_are_refused(tmp_path, write):
    photos, tones = load_task(photo_folder(tmp_path / "photos")), load_task(tone_folder(tmp_path / "tones"))
    table = write("t.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match="is a table; the model wants 'image'"):
        prepared(photos, table)
    with pytest.raises(DataError, match="is of the kind audio; the model wants 'image'"):
        prepared(photos, tmp_path / "tones" / "low" / "0.wav")
    with pytest.raises(DataError, match="is a folder of files; the model wants 'mean radius'"):
        prepared(load_task("breast-cancer"), tmp_path / "photos")
    with pytest.raises(DataError, match="holds no files of the kind image"):
        prepared(photos, tmp_path / "tones")
    with pytest.raises(DataError, match="is of the kind image; the model wants 'audio'"):
        prepared(tones, tmp_path / "photos" / "china" / "0.png")
    with pytest.raises(DataError, match="named like an image but is a table"):
        prepared(photos, write("t.png", "a,b\n1,2\n"))
    broken = write("broken.png", b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(DataError, match=r"cannot read the image .*broken.png"):
        prepared(photos, broken)


def test_a_missing_column_of_a_file_is_named_with_near_ones(messy, write):
    task, path = messy
    text = path.read_text().replace("remarks", "remark", 1)
    with pytest.raises(DataError, match=r"no column 'remarks' for the model; did you mean 'remark'"):
        prepared(task, write("t.csv", text))
