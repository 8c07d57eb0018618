"""Every format under one battery: what is written comes back, and nothing is ever half there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from landmark_samples import dancer, observation, parts_missing, person, two_dancers

from pomona.foundation.errors import DataError, RunError, SettingError
from pomona.perceive.formats import FORMATS, convert, read_parquet, write_parquet
from pomona.perceive.formats.arrays import ARRAYS
from pomona.perceive.formats.wholebody import whole_body
from pomona.perceive.holistic.record import HolisticRecord, Observation

EXACT = ("parquet", "jsonl")
READABLE = tuple(name for name, form in FORMATS.items() if form.read)
RECORDINGS = {
    "two people": two_dancers,
    "parts missing": parts_missing,
    "nobody in any frame": lambda: [observation(frame) for frame in range(3)],
    "one frame": lambda: [observation(0, person(0, 0))],
    "no frame": list,
}


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("recording", [name for name in RECORDINGS if name != "no frame"])
def test_frames_times_and_people_come_back(name, recording, tmp_path):
    given = RECORDINGS[recording]()
    FORMATS[name].write(given, tmp_path / "out")
    back = list(FORMATS[name].read(tmp_path / "out"))
    assert [(o.frame, o.time_s, o.width, o.height) for o in back] == [
        (o.frame, o.time_s, o.width, o.height) for o in given
    ]
    assert [[p.person for p in o] for o in back] == [[p.person for p in o] for o in given]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("recording", RECORDINGS)
def test_exact_formats_give_every_number_back(name, recording, tmp_path):
    given = RECORDINGS[recording]()
    FORMATS[name].write(given, tmp_path / "out")
    back = list(FORMATS[name].read(tmp_path / "out"))
    assert len(back) == len(given)
    for old, new in zip(_people(given), _people(back), strict=True):
        assert (old.score, dict(old.regions), old.width) == (new.score, dict(new.regions), new.width)
        for array in ARRAYS:
            values, again = getattr(old, array.name), getattr(new, array.name)
            assert (values is None) == (again is None)
            if values is not None:
                assert again.dtype == np.float32
                np.testing.assert_array_equal(values, again)


@pytest.mark.parametrize("name", [name for name in READABLE if name not in EXACT])
@pytest.mark.parametrize("recording", ["two people", "parts missing", "one frame"])
def test_other_formats_give_their_points_back(name, recording, tmp_path):
    given = RECORDINGS[recording]()
    FORMATS[name].write(given, tmp_path / "out")
    back = list(FORMATS[name].read(tmp_path / "out"))
    for old, new in zip(_people(given), _people(back), strict=True):
        points, again = whole_body(old), whole_body(new)
        inside = ((points[:, :2] >= 0) & (points[:, :2] < [old.width, old.height])).all(axis=1)
        # COCO has no points beyond the frame
        kept = inside if name == "coco" else np.isfinite(points[:, 0])
        np.testing.assert_allclose(again[kept], points[kept], atol=6e-4)
        assert np.isnan(again[~kept]).all()


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("recording", [name for name in RECORDINGS if name != "no frame"])
def test_what_was_read_is_written_as_before(name, recording, tmp_path):
    form = FORMATS[name]
    first = form.write(RECORDINGS[recording](), tmp_path / "first" / "out")
    second = form.write(form.read(tmp_path / "first" / "out"), tmp_path / "second" / "out")
    assert [path.name for path in first] == [path.name for path in second]
    for old, new in zip(first, second, strict=True):
        assert old.read_bytes() == new.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_the_files_that_it_names_are_all_there_is(name, tmp_path):
    written = FORMATS[name].write(dancer(3), tmp_path / "out")
    assert written
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(written)


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_on_the_way_leaves_what_was_there(name, tmp_path):
    before = FORMATS[name].write(dancer(2), tmp_path / "out")
    contents = [path.read_bytes() for path in before]
    with pytest.raises(RuntimeError, match="camera"):
        FORMATS[name].write(_breaking(), tmp_path / "out")
    assert [path.read_bytes() for path in before] == contents
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(before)


@pytest.mark.parametrize("name", READABLE)
def test_a_missing_file_is_named(name, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        list(FORMATS[name].read(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", READABLE)
def test_a_cut_file_is_refused_in_one_line(name, tmp_path):
    file = FORMATS[name].write(two_dancers(), tmp_path / "out")[0]
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(DataError) as caught:
        list(FORMATS[name].read(tmp_path / "out"))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "out") in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_is_converted_to_what_its_people_would_be_written_as(name, tmp_path):
    write_parquet(two_dancers(), tmp_path / "landmarks.parquet")
    converted = convert(tmp_path / "landmarks.parquet", name, tmp_path / "converted")
    written = FORMATS[name].write(read_parquet(tmp_path / "landmarks.parquet"), tmp_path / "written")
    for one, other in zip(converted, written, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("jsonl", "landmarks.jsonl"),
        ("coco", "landmarks.coco.json"),
        ("openpose", "landmarks-openpose/000000000000_keypoints.json"),
        ("bvh", "landmarks.bvh"),
    ],
)
def test_without_a_place_it_lies_beside_the_table(name, first, tmp_path):
    write_parquet(dancer(2), tmp_path / "landmarks.parquet")
    assert convert(tmp_path / "landmarks.parquet", name)[0] == tmp_path / first


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SettingError, match="did you mean 'coco'"):
        convert(tmp_path / "landmarks.parquet", "cocos")


@pytest.mark.parametrize("recording", ["nobody in any frame", "no frame"])
def test_nobody_has_no_movement_to_write(recording, tmp_path):
    with pytest.raises(DataError, match="world landmarks"):
        FORMATS["bvh"].write(RECORDINGS[recording](), tmp_path / "out.bvh")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "openpose"])
def test_a_folder_is_not_written_over(name, tmp_path):
    with pytest.raises(RunError, match="is a folder"):
        FORMATS[name].write(dancer(2), tmp_path)


def _people(observations: list[Observation]) -> list[HolisticRecord]:
    return [record for observation in observations for record in observation]


def _breaking() -> Iterator[Observation]:
    yield from dancer(2)
    raise RuntimeError("the camera was unplugged")


def test_files_are_readable_by_those_who_may_read_their_surroundings(tmp_path):
    (tmp_path / "plain").write_text("")
    written = write_parquet([], tmp_path / "landmarks.parquet")[0]
    assert written.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert isinstance(written, Path)
