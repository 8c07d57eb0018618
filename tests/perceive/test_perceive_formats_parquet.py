"""landmarks.parquet as other libraries see it, and the writer that makes it piece by piece."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from landmark_samples import HEIGHT, WIDTH, observation, person, two_dancers

from pomona.foundation.errors import DataError, RunError
from pomona.perceive.formats import FORMATS, ParquetWriter, read_parquet, write_parquet
from pomona.perceive.formats.parquet import ROWS_AT_ONCE
from pomona.perceive.holistic.record import HolisticRecord, Observation


def test_a_row_is_a_person_in_a_frame_with_nested_fixed_lists(tmp_path):
    table = pq.read_table(write_parquet(two_dancers(), tmp_path / "landmarks.parquet")[0])
    assert table.column_names[:7] == ["frame", "time_s", "person", "pose", "left_hand", "right_hand", "face"]
    assert table["frame"].to_pylist() == [3, 3, 4, 8, 8]
    assert table["person"].to_pylist() == [0, 1, 1, 0, 1]
    assert table.schema.field("frame").type == pa.int64()
    assert table.schema.field("time_s").type == pa.float64()
    for name, points, numbers in (("pose", 33, 5), ("left_hand", 21, 4), ("face", 478, 4)):
        assert table.schema.field(name).type == pa.list_(pa.list_(pa.float32(), numbers), points)


def test_an_absent_part_is_null_and_irises_are_nan(tmp_path):
    write_parquet([observation(0, person(0, 0, ("pose", "face")))], tmp_path / "l.parquet")
    table = pq.read_table(tmp_path / "l.parquet")
    assert table["left_hand"].null_count == table["pose_world"].null_count == 1
    face = np.array(table["face"].to_pylist()[0])
    assert np.isnan(face[468:]).all()
    assert np.isfinite(face[:468]).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_other_libraries_read_it_and_what_they_write_is_read(library, tmp_path):
    frames = pytest.importorskip(library)
    given = two_dancers()
    path = write_parquet(given, tmp_path / "l.parquet")[0]
    table = frames.read_parquet(path)
    assert len(table) == 5
    pose = np.array([list(map(list, row)) for row in table["pose"]], np.float32)
    np.testing.assert_array_equal(pose[0], given[0][0].pose)
    (table.to_parquet if library == "pandas" else table.write_parquet)(tmp_path / "again.parquet")
    back = [record for seen in read_parquet(tmp_path / "again.parquet") for record in seen]
    for old, new in zip([record for seen in given for record in seen], back, strict=True):
        np.testing.assert_array_equal(old.face, new.face)
        assert dict(old.regions) == dict(new.regions)


def test_rows_are_kept_in_groups_and_a_frame_may_lie_across_two(tmp_path):
    given = [observation(frame, *(person(who, frame) for who in range(3))) for frame in range(100)]
    path = write_parquet(given, tmp_path / "l.parquet")[0]
    file = pq.ParquetFile(path)
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    assert sum(sizes) == 300
    assert max(sizes) < ROWS_AT_ONCE + 3
    assert len(sizes) > 1
    assert [len(seen) for seen in read_parquet(path)] == [3] * 100


def test_nothing_of_a_frame_waits_with_its_landmarks(tmp_path):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    seen = Observation(0, 0.0, WIDTH, HEIGHT, (replace(person(0, 0), mask=mask),), image)
    empty = Observation(1, 0.1, WIDTH, HEIGHT, (), image)
    held = [weakref.ref(array) for array in (mask, image)]
    with ParquetWriter(tmp_path / "l.parquet") as writer:
        writer.write(seen)
        writer.write(empty)
        del mask, image, seen, empty
        gc.collect()
        assert [reference() for reference in held] == [None, None]


def test_an_interrupt_keeps_what_was_written(tmp_path):
    def record() -> None:
        with ParquetWriter(tmp_path / "l.parquet") as writer:
            writer.write(observation(0, person(0, 0)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record()
    assert [len(seen) for seen in read_parquet(tmp_path / "l.parquet")] == [1]


def test_discard_leaves_nothing_and_a_closed_writer_says_so(tmp_path):
    writer = ParquetWriter(tmp_path / "l.parquet")
    writer.write(observation(0, person(0, 0)))
    writer.discard()
    writer.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RunError, match="closed"):
        writer.write(observation(1))


def test_the_file_appears_when_it_is_whole(tmp_path):
    writer = ParquetWriter(tmp_path / "l.parquet")
    writer.write(observation(0, person(0, 0)))
    assert not (tmp_path / "l.parquet").exists()
    writer.close()
    assert (tmp_path / "l.parquet").exists()
    writer.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        ParquetWriter(tmp_path / "file" / "l.parquet")


def test_an_array_of_another_shape_is_refused(tmp_path):
    short = HolisticRecord(0, 0, 0.0, WIDTH, HEIGHT, pose=np.zeros((32, 5), np.float32))
    with pytest.raises(DataError, match="pose"):
        write_parquet([observation(0, short)], tmp_path / "l.parquet")
    assert list(tmp_path.iterdir()) == []


def test_another_table_is_refused_with_the_columns_that_it_lacks(tmp_path):
    pq.write_table(pa.table({"frame": [1]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="no column time_s, person"):
        read_parquet(tmp_path / "t.parquet")
    columns = pq.read_table(write_parquet(two_dancers(), tmp_path / "l.parquet")[0])
    changed = columns.set_column(3, "pose", pa.array([[1.0]] * len(columns)))
    pq.write_table(changed, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="no table of landmarks"):
        list(read_parquet(tmp_path / "t.parquet"))


@settings(max_examples=25, deadline=None)
@given(
    pose=arrays(np.float32, (33, 5), elements=st.floats(width=32, allow_infinity=False)),
    time_s=st.floats(0, 1e6),
)
@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_any_float32_and_any_time_come_back_to_the_bit(name, pose, time_s, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "out"
    record = HolisticRecord(0, 0, time_s, WIDTH, HEIGHT, pose=pose)
    FORMATS[name].write([Observation(0, time_s, WIDTH, HEIGHT, (record,))], path)
    (back,) = FORMATS[name].read(path)
    assert back.time_s == time_s
    np.testing.assert_array_equal(back[0].pose, pose)
    assert (np.signbit(back[0].pose) == np.signbit(pose))[~np.isnan(pose)].all()
