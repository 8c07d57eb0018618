"""The command around the pipeline: what it writes, counts, leaves out, and goes on with."""

import itertools
import os
import signal
import time

import numpy as np
import pytest
from PIL import Image as pillow

import pomona.perceive.holistic
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import DataError, Interrupted, RunError, SettingError
from pomona.foundation.files import read_json
from pomona.perceive import command, watch
from pomona.perceive.command import perceive, perceive_command
from pomona.perceive.fingerprint import source_fingerprint
from pomona.perceive.formats.parquet import read_parquet
from pomona.perceive.formats.table import FORMATS
from pomona.perceive.graph import Packet, Result, StageError, StageTimes
from pomona.perceive.holistic.record import HolisticRecord
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.settings import OTHER_FORMATS, PerceiveSettings
from pomona.perceive.tally import Tally
from pomona.perceive.video import FrameSource, VideoWriter, open_frames
from pomona.perceive.video.frame import Reel, Shot

KEYS = {"frames", "failed_frames", "people", "parts", "seconds", "frames_per_second", "stage_ms"}
KEYS |= {"landmarks", "video"}
SIZE = (64, 48)
NUM_FRAMES = 30


class StandIn:
    """Finds one person in every frame, a second one in every third; `before` is called with each index."""

    settings = None
    seen = ()

    def __init__(self, settings, *, threads=None):
        type(self).settings = settings

    def before(self, index):
        pass

    def results(self, frames):
        for frame in frames:
            type(self).seen = (*self.seen, frame.index)
            packet = Packet(frame.index, frame.time_s, {"image": frame.image})
            try:
                self.before(frame.index)
            except ValueError as error:
                yield Result(packet, {}, error=StageError("pose", frame.index, frame.time_s, error))
                continue
            height, width = frame.image.shape[:2]
            people = [
                self.person(number, frame, width, height) for number in range(1 + (frame.index % 3 == 0))
            ]
            yield Result(packet, {"records": tuple(people)}, {"pose": 1.0})

    def person(self, number, frame, width, height):
        pose = np.full((33, 5), frame.index + number, np.float32)
        mask = np.zeros((height, width), np.uint8)
        mask[number] = 255
        hand = np.ones((21, 4), np.float32) if frame.index % 2 else None
        return HolisticRecord(
            number, frame.index, frame.time_s, width, height, pose=pose, left_hand=hand, mask=mask
        )

    def timings(self):
        times = StageTimes(count=1, errors=0, median_ms=2.5, p95_ms=3, max_ms=3, total_ms=3)
        return {"pose": times}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@pytest.fixture
def finder(monkeypatch):
    """A class to put in place of Holistic, new for each test."""
    kind = type("Finder", (StandIn,), {})
    monkeypatch.setattr(pomona.perceive.holistic, "Holistic", kind)
    return kind


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "dance.mp4"
    with VideoWriter(path, 30, SIZE) as writer:
        for index in range(NUM_FRAMES):
            writer.write(np.full((SIZE[1], SIZE[0], 3), index * 5, np.uint8), index / 30 + (index > 9))
    return path


def run(source, out, holistic=None, **settings):
    options = CommandOptions(out=out, quiet=True)
    return perceive_command(
        str(source), holistic or HolisticSettings(), PerceiveSettings(**settings), options=options
    )


def rows(result):
    return [
        (person.frame, person.person, person.time_s, person.pose.tolist(), person.left_hand is None)
        for observation in read_parquet(result["landmarks"])
        for person in observation
    ]


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_video_becomes_landmarks_a_drawn_video_and_counts(finder, video, tmp_path):
    result = run(video, tmp_path / "out", draw=True)
    assert set(result) == KEYS
    assert (result["frames"], result["failed_frames"], result["people"]) == (NUM_FRAMES, 0, 2)
    present = {name: counts["frames_present"] for name, counts in result["parts"].items()}
    assert present == {"pose": NUM_FRAMES, "left_hand": NUM_FRAMES // 2, "right_hand": 0, "face": 0}
    assert result["stage_ms"] == {"pose": 2.5}
    assert result["frames_per_second"] == pytest.approx(NUM_FRAMES / result["seconds"])
    assert len(rows(result)) == NUM_FRAMES + NUM_FRAMES // 3
    times = [frame.time_s for frame in open_frames(video)]
    assert [frame.time_s for frame in open_frames(result["video"])] == pytest.approx(times, abs=1e-3)
    assert read_json(tmp_path / "out" / "summary.json")["frames"] == NUM_FRAMES
    assert not (tmp_path / "out" / "parts").exists()


def test_every_takes_each_nth_frame_under_its_own_number(finder, video, tmp_path):
    result = run(video, tmp_path / "out", every=4)
    assert [observation.frame for observation in read_parquet(result["landmarks"])] == [*range(0, 30, 4)]
    assert result["video"] is None


@pytest.mark.parametrize("stop", [0, 7, 13, 29])
def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(
    finder, video, tmp_path, stop, monkeypatch
):
    monkeypatch.setattr(watch, "PART_FRAMES", 5)
    whole = run(video, tmp_path / "whole", draw=True, every=1)
    finder.seen = ()

    def interrupt(self, index):
        if index == stop:
            os.kill(os.getpid(), signal.SIGINT)

    finder.before = interrupt
    with pytest.raises(Interrupted, match="goes on"):
        run(video, tmp_path / "out", draw=True)
    finder.before = StandIn.before
    result = run(video, tmp_path / "out", draw=True)
    assert finder.seen == tuple(range(NUM_FRAMES)), "no frame is looked at twice"
    assert rows(result) == rows(whole)
    for name in ("frames", "failed_frames", "people", "parts"):
        assert result[name] == whole[name]
    drawn = [[frame.time_s for frame in open_frames(made["video"])] for made in (result, whole)]
    assert drawn[0] == pytest.approx(drawn[1], abs=1e-4)


def test_a_crash_costs_the_frames_since_the_last_part(finder, video, tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "PART_FRAMES", 10)

    def crash(self, index):
        if index == 25:
            raise MemoryError

    finder.before = crash
    with pytest.raises(MemoryError):
        run(video, tmp_path / "out", draw=True)
    finder.before, finder.seen = StandIn.before, ()
    result = run(video, tmp_path / "out", draw=True)
    assert finder.seen == tuple(range(20, NUM_FRAMES))
    assert result["frames"] == NUM_FRAMES
    assert len(rows(result)) == NUM_FRAMES + NUM_FRAMES // 3
    assert not [name for name in files_of(tmp_path / "out") if "part" in name]


def test_a_finished_run_is_read_not_run_and_other_settings_are_refused(finder, video, tmp_path):
    first = run(video, tmp_path / "out")
    finder.seen = ()
    assert run(video, tmp_path / "out") == first
    assert finder.seen == ()
    with pytest.raises(RunError, match="another run"):
        run(video, tmp_path / "out", every=2)


def test_failing_frames_are_counted_and_named_whatever_failed(finder, tmp_path):
    for index in range(6):
        pillow.fromarray(np.full((8, 9, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
    (tmp_path / "2.png").write_bytes(b"broken")

    def fail(self, index):
        if index == 4:
            raise ValueError("no such pose")

    finder.before = fail
    result = run(tmp_path, tmp_path / "out", draw=True)
    assert (result["frames"], result["failed_frames"]) == (4, 2)
    failed = read_json(tmp_path / "out" / "summary.json")["failed"]
    assert [index for index, _ in failed] == [2, 4]
    assert "2.png" in failed[0][1]
    assert "pose" in failed[1][1]
    names = [name for name in files_of(tmp_path / "out") if name.startswith("annotated")]
    assert names == [f"annotated/{index:06d}-{index}.jpg" for index in (0, 1, 3, 5)]


def test_when_no_frame_can_be_used_that_is_an_error(finder, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"none of the frames.*a\.png"):
        run(tmp_path / "photos", tmp_path / "out")


def test_pictures_are_taken_by_themselves_unless_they_are_a_sequence(finder, tmp_path, video):
    (tmp_path / "photos").mkdir()
    pillow.new("RGB", (9, 8)).save(tmp_path / "photos" / "a.png")
    for source, options, is_still in (
        (tmp_path / "photos" / "a.png", {}, True),
        (tmp_path / "photos", {}, True),
        (tmp_path / "photos", {"sequence": True}, False),
        (video, {}, False),
    ):
        run(source, tmp_path / f"out-{source.name}-{is_still}", **options)
        assert finder.settings.still is is_still


def test_a_picture_is_drawn_as_a_picture_with_its_mask(finder, tmp_path):
    pillow.new("RGB", (9, 8)).save(tmp_path / "a.png")
    result = run(tmp_path / "a.png", tmp_path / "out", HolisticSettings(mask=True), draw=True)
    assert result["video"] == str(tmp_path / "out" / "annotated.jpg")
    assert pillow.open(result["video"]).size == (9, 8)
    mask = np.asarray(pillow.open(tmp_path / "out" / "masks" / "000000.png"))
    assert mask.shape == (8, 9)
    assert np.array_equal(np.flatnonzero(mask.any(axis=1)), [0, 1]), "of both people"


def endless_camera(every, start=0):
    shots = (
        Shot(index, index / 100, lambda: time.sleep(0.005) or np.zeros((8, 9, 3), np.uint8))
        for index in itertools.count()
    )
    return FrameSource(
        Reel("camera", "camera", shots, rate=100, width=9, height=8, is_live=True), every=every
    )


def test_a_camera_ends_with_its_seconds_or_ctrl_c_and_both_are_results(finder, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "open_frames", lambda source, every: endless_camera(every))
    timed = run("camera", tmp_path / "timed", seconds=0.2)
    assert timed["frames"] > 1

    def interrupt(self, index):
        if len(self.seen) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    finder.before, finder.seen = interrupt, ()
    stopped = run("camera", tmp_path / "stopped", draw=True)
    assert 5 <= stopped["frames"] <= 7
    assert len(list(open_frames(stopped["video"]))) == stopped["frames"]
    with pytest.raises(RunError, match="another run"):
        run("camera", tmp_path / "stopped", draw=True)


def test_landmarks_are_written_in_other_formats_where_that_is_possible(finder, video, tmp_path):
    assert {"parquet", *OTHER_FORMATS} == set(FORMATS)
    result = run(video, tmp_path / "out", formats=("jsonl", "bvh"), every=10)
    written = {name for name in files_of(tmp_path / "out") if name.startswith("landmarks")}
    assert written == {"landmarks.parquet", "landmarks.jsonl"}
    remarks = read_json(tmp_path / "out" / "summary.json")["remarks"]
    assert len(remarks) == 1, "the people have no world landmarks"
    assert "bvh" in remarks[0]
    assert [seen.frame for seen in FORMATS["jsonl"].read(tmp_path / "out" / "landmarks.jsonl")] == [0, 10, 20]
    assert result["frames"] == 3
    with pytest.raises(SettingError, match="csv"):
        PerceiveSettings(formats=("csv",))


def test_names_may_be_any_bytes(finder, tmp_path):
    photos = tmp_path / os.fsdecode(b"photos\xff")
    try:
        photos.mkdir()
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    pillow.new("RGB", (9, 8)).save(photos / os.fsdecode(b"a\xff.png"))
    (photos / os.fsdecode(b"b\xff.png")).write_bytes(b"broken")
    result = run(photos, tmp_path / "out", draw=True)
    assert (result["frames"], result["failed_frames"]) == (1, 1)
    assert run(photos / os.fsdecode(b"a\xff.png"), tmp_path / "one")["frames"] == 1


def test_python_has_the_same_command(finder, video, tmp_path):
    result = perceive(video, out=tmp_path / "out", quiet=True, people=2, every=10, parts=["pose"])
    assert result["frames"] == 3
    assert finder.settings == HolisticSettings(people=2, parts=("pose",))
    with pytest.raises(SettingError, match="persons"):
        perceive(video, persons=2)
    with pytest.raises(SettingError, match="cpu"):
        perceive(video, device="cuda")


def test_a_fingerprint_tells_content_not_names(tmp_path):
    rng = np.random.default_rng(0)
    content = rng.bytes(5 << 20)
    for name, changed in (("a", 0), ("b", 0), ("c", 100), ("d", len(content) - 100)):
        piece = bytearray(content)
        piece[changed] ^= name > "b"
        (tmp_path / name).write_bytes(piece)
    prints = {name: source_fingerprint(tmp_path / name) for name in "abcd"}
    assert prints["a"] == prints["b"]
    assert len({*prints.values()}) == 3
    before = source_fingerprint(tmp_path)
    (tmp_path / "e").touch()
    assert source_fingerprint(tmp_path) != before


def test_a_tally_survives_being_stored():
    tally = Tally(3, 0.5, [0, 2], {"pose": 3, "left_hand": 0, "right_hand": 1, "face": 2}, [(1, "broken")])
    assert Tally.from_json(tally.to_json()) == tally
