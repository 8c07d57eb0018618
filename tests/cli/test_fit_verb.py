"""`pomona fit` and `pomona predict` on real tables, as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_iris, load_wine

FIT_FIELDS = {"task", "network", "parameters", "steps", "seconds", "valid", "test", "artifact", "report"}


@pytest.fixture
def wine(tmp_path):
    frame = load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "red", 1: "white", 2: "rosé"})
    frame.to_csv(tmp_path / "wine.csv", index=False)
    return tmp_path / "wine.csv"


def test_fit_then_predict_from_artifact_and_onnx_agree(pomona, wine, tmp_path):
    fitted = pomona("fit", wine, "--target", "target", "--epochs", 20, "--out", tmp_path / "run", "--json")
    assert fitted.code == 0, fitted.err
    result = fitted.json
    assert set(result) >= FIT_FIELDS
    assert result["test"]["accuracy"] > 0.8
    artifact = tmp_path / "run" / "artifact"
    said = {}
    for name, options in {
        "torch": [artifact, wine],
        "onnx": [artifact, wine, "--runtime", "onnx"],
        "sparse": [artifact, wine, "--runtime", "sparse"],
        "file": [artifact / "model.onnx", wine],
    }.items():
        answer = pomona("predict", *options, "--json")
        assert answer.code == 0, answer.err
        said[name] = answer.json
    labels = {name: [row["prediction"] for row in answer["predictions"]] for name, answer in said.items()}
    assert labels["torch"] == labels["onnx"] == labels["sparse"] == labels["file"]
    assert set(labels["torch"]) == {"red", "white", "rosé"}
    sure = {name: [row["probability"] for row in answer["predictions"]] for name, answer in said.items()}
    np.testing.assert_allclose(sure["torch"], sure["onnx"], atol=1e-5)


def test_the_same_command_prints_the_finished_result(pomona, tmp_path):
    command = ("fit", "iris", "--epochs", 3, "--out", tmp_path / "run", "--json")
    first, again = pomona(*command), pomona(*command)
    assert first.json == again.json
    other = pomona(*command, "--seed", 1)
    assert other.code == 2
    assert "another run" in other.err


def test_kill_minus_nine_and_the_same_command_gives_the_same_weights(tmp_path):
    def command(folder):
        options = ["--steps", "250", "--checkpoint-seconds", "0", "--out", str(folder), "--quiet"]
        return [sys.executable, "-m", "pomona", "fit", "iris", *options]

    def saved():
        return max(
            (path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("*.safetensors")), default=0
        )

    env = {**os.environ, "POMONA_THREADS": "1"}
    subprocess.run(command(tmp_path / "whole"), check=True, env=env, capture_output=True)
    kills = 0
    for delay in (0.1, 0.23):
        before = saved()
        process = subprocess.Popen(command(tmp_path / "killed"), env=env, stdout=subprocess.DEVNULL)
        while process.poll() is None and saved() == before:
            time.sleep(0.01)
        time.sleep(delay)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command(tmp_path / "killed"), check=True, env=env, capture_output=True)
    assert kills
    whole, killed = (
        load_file(tmp_path / n / "artifact" / "weights.safetensors") for n in ("whole", "killed")
    )
    assert whole.keys() == killed.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], killed[name])


def test_an_interrupt_saves_and_the_same_command_goes_on(tmp_path):
    options = ["--steps", "600", "--out", str(tmp_path / "run"), "--json"]
    command = [sys.executable, "-m", "pomona", "fit", "digits", *options]
    env = {**os.environ, "POMONA_THREADS": "1"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "run.json").exists():
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "goes on from here" in err
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 600


def test_a_tampered_artifact_is_refused(pomona, tmp_path):
    assert pomona("fit", "iris", "--epochs", 2, "--out", tmp_path / "run").code == 0
    weights = tmp_path / "run" / "artifact" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    answer = pomona("predict", tmp_path / "run" / "artifact", tmp_path / "iris.csv")
    assert answer.code == 2
    assert "weights.safetensors" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_predictions_can_be_written_to_a_file(pomona, wine, tmp_path):
    import pandas

    pomona("fit", wine, "--target", "target", "--epochs", 2, "--out", tmp_path / "run")
    for name, read in {"a.csv": pandas.read_csv, "a.parquet": pandas.read_parquet}.items():
        answer = pomona("predict", tmp_path / "run" / "artifact", wine, "--out", tmp_path / name)
        assert answer.code == 0, answer.err
        frame = read(tmp_path / name)
        assert len(frame) == 178
        assert {"prediction", "probability"} <= set(frame.columns)


def test_a_vision_transformer_from_a_folder_is_trained_on(pomona, tmp_path):
    recorded = dict(np.load(Path(__file__).parents[1] / "oracles" / "vit_peers.npz"))
    files = {k.split("/", 2)[2]: v.astype(np.float32) for k, v in recorded.items() if "timm-plain/files" in k}
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(str(recorded["timm-plain/config"]))
    save_file(files, folder / "model.safetensors")
    said = pomona("fit", "digits", "--network", folder, "--epochs", 1, "--out", tmp_path / "run", "--json")
    assert said.code == 0, said.err
    assert set(said.json) >= FIT_FIELDS
    sections = {path.stem[3:] for path in (tmp_path / "run" / "sections").glob("*.json")}
    assert sections >= {"positions", "filters", "attention", "rollout"}
    (folder / "config.json").write_text("{}")
    wrong = pomona("fit", "digits", "--network", folder, "--out", tmp_path / "other")
    assert wrong.code == 2
    assert "num_heads" in wrong.err
