"""`pomona perceive` as a user runs it, with the real models."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pomona.foundation.assets import fetch
from pomona.foundation.errors import AssetError
from pomona.perceive.video import VideoWriter, open_frames

KEYS = {"frames", "failed_frames", "people", "parts", "seconds", "frames_per_second", "stage_ms"}
KEYS |= {"landmarks", "video"}


@pytest.fixture(scope="module")
def player():
    """A photo of a man playing football; everything but nothing of him is in view."""
    try:
        for model in ("mediapipe/pose_detection.tflite", "mediapipe/hand_landmark_full.tflite"):
            fetch(model)
        return fetch("opencv-samples/messi5.jpg")
    except AssetError as error:
        if os.environ.get("POMONA_TESTS_MUST_RUN"):
            raise
        pytest.skip(f"models or pictures cannot be had here: {error}")


@pytest.fixture
def dance(player, tmp_path):
    """The photo moving to the right, six pixels a frame."""
    photo = np.asarray(Image.open(player))
    with VideoWriter(tmp_path / "dance.mp4", 30, (400, 342)) as writer:
        for index in range(24):
            writer.write(np.ascontiguousarray(photo[:, 144 - 6 * index : 544 - 6 * index]), index / 30)
    return tmp_path / "dance.mp4"


def test_a_photo_gives_landmarks_and_a_drawing(pomona, player, tmp_path):
    said = pomona("perceive", player, "--draw", "--mask", "--out", tmp_path / "run", "--json")
    assert said.code == 0, said.err
    result = said.json
    assert set(result) == KEYS
    assert (result["frames"], result["people"]) == (1, 1)
    assert all(part["frames_present"] == 1 for part in result["parts"].values())
    rows = pq.read_table(result["landmarks"]).to_pylist()
    assert len(rows) == 1
    lengths = {name: len(rows[0][name]) for name in ("pose", "left_hand", "right_hand", "face")}
    assert lengths == {"pose": 33, "left_hand": 21, "right_hand": 21, "face": 478}
    nose_x, nose_y = rows[0]["pose"][0][:2]
    assert 238 < nose_x < 262
    assert 100 < nose_y < 130
    assert Image.open(result["video"]).size == Image.open(player).size
    mask = np.asarray(Image.open(tmp_path / "run" / "masks" / "000000.png"))
    assert mask[200, 240] > 200
    assert mask[30, 500] < 50


def test_a_video_is_followed_drawn_and_told_to_a_person(pomona, dance, tmp_path):
    said = pomona("perceive", dance, "--draw", "--parts", "pose,face", "--out", tmp_path / "run")
    assert said.code == 0, said.err
    assert "24 frames, people: 1" in said.out
    assert len(list(open_frames(tmp_path / "run" / "annotated.mp4"))) == 24
    rows = pq.read_table(tmp_path / "run" / "landmarks.parquet").to_pylist()
    assert [row["frame"] for row in rows] == list(range(24))
    assert all(row["left_hand"] is None for row in rows)
    hips = [row["pose"][23][0] for row in rows]
    assert np.allclose(np.diff(hips), 6, atol=4), "the hips move as the picture does"


def test_ctrl_c_saves_and_the_same_command_goes_on(dance, tmp_path):
    arguments = [sys.executable, "-m", "pomona", "perceive", dance, "--draw", "--out", tmp_path / "run"]
    environment = {**os.environ, "POMONA_THREADS": "1"}
    started = subprocess.Popen(list(map(str, arguments)), stderr=subprocess.PIPE, text=True, env=environment)
    while not (tmp_path / "run" / "parts").exists() and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert "goes on" in said
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "24 frames, people: 1" in done.stdout
    rows = pq.read_table(tmp_path / "run" / "landmarks.parquet").to_pylist()
    assert [row["frame"] for row in rows] == list(range(24))


def test_the_graph_can_be_drawn_both_ways(pomona, player, tmp_path):
    for flags in (("--draw", "a.svg"), ("--draw-graph", "a.svg")):
        said = pomona("perceive", *flags, "--json")
        assert said.code == 0, said.err
        assert said.json["graph"] == "a.svg"
        assert "pose" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "wants a picture"),
        (("missing.mp4",), "missing.mp4"),
        (("text.mp4",), "text.mp4 cannot be read"),
        (("empty",), "no pictures"),
        (("camera:9",), "no camera:9"),
        (("-",), "standard input"),
        (("text.mp4", "--parts", "pose,legs"), "legs"),
        (("text.mp4", "--people", "0"), "people"),
        (("text.mp4", "--every", "0"), "every"),
        (("text.mp4", "--device", "cuda"), "cpu"),
        (("--draw-graph", "graph.png"), ".svg"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch, arguments, words):
    from pomona.cli.main import exit_code

    (tmp_path / "text.mp4").write_text("dear diary\n" * 50)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert exit_code(["perceive", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "text.mp4"]
