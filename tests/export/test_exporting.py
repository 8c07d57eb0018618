"""Exports as files: each compared with the artifact, int8 from real ranges, all of it measured."""

import json

import numpy as np
import onnx
import pytest

from pomona.cli.main import exit_code
from pomona.export import load
from pomona.export.exporting.command import export_artifact
from pomona.export.exporting.quantise import quantised
from pomona.export.metadata import check_seal
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.sessions import OnnxSession
from pomona.foundation.artifact import read_artifact, write_artifact
from pomona.foundation.errors import ArtifactError, SettingError, SpecError
from pomona.tasks.batch import take


@pytest.fixture(scope="module")
def exported(saved, tmp_path_factory):
    """A classifier in all three forms."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    model = saved("classify")
    return (
        model,
        folder,
        export_artifact(
            model.folder, onnx=True, int8=True, program=True, most_lost=0.5, out=folder, quiet=True
        ),
    )


def as_onnx(model, folder, **fields):
    """The model as an artifact that is its ONNX file."""
    artifact = read_artifact(model.folder)
    plain = type(artifact)(**{**vars(artifact), "kind": "onnx", "spec": None, **fields})
    return write_artifact(folder / "artifact", plain, files={ONNX_FILE: model.folder / ONNX_FILE})


def test_every_form_is_there_with_its_numbers(exported):
    _, folder, result = exported
    assert list(result["files"]) == ["onnx", "int8", "program"]
    for one in result["files"].values():
        assert one["bytes"] == (folder / one["file"]).stat().st_size
        assert one["latency_ms"] > 0
        assert one["on_real_examples"]
        assert {"metric", "value", "reference", "share", "met"} <= set(one["quality"])
    for name in ("onnx", "program"):
        assert result["files"][name]["difference"] < 1e-4
        assert result["files"][name]["agreement"] == 1
        assert result["files"][name]["quality"]["share"] == pytest.approx(1)
    assert 1e-5 < result["files"]["int8"]["difference"] < 0.5
    assert (folder / "report.html").stat().st_size > 10_000


def test_int8_weights_are_bytes_with_a_scale_a_channel(exported):
    _, folder, _ = exported
    graph = onnx.load(folder / "model.int8.onnx").graph
    whole = {tensor.name: tensor for tensor in graph.initializer}
    weights = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in whole]
    kinds = {onnx.TensorProto.DataType.Name(whole[node.input[0]].data_type) for node in weights}
    assert "INT8" in kinds
    scales = [np.prod(whole[node.input[1]].dims) for node in weights]
    assert max(scales) > 1


def test_exported_files_predict_as_models_do(exported):
    model, folder, _ = exported
    batch = take(model.example, np.arange(2))
    for name in ("model.onnx", "model.int8.onnx"):
        predictor = load(folder / name)
        assert predictor.artifact.task_name == "digits"
        check_seal(folder / name)
        wanted = load(model.folder).predict_batch(batch)
        for head, values in predictor.predict_batch(batch).items():
            np.testing.assert_allclose(values, wanted[head], atol=0.3)


def test_int8_ranges_cover_what_was_seen(exported):
    """Values beyond the calibrated range are clipped; those within are off by half a step at most."""
    model, *_ = exported
    plain = (model.folder / ONNX_FILE).read_bytes()
    inputs = {name: model.example[name] for name in model.task.inputs}
    narrow = quantised(plain, [{name: 0.01 * array for name, array in inputs.items()}])
    wide = quantised(plain, [inputs])
    wanted = OnnxSession(plain).run(inputs)
    gaps = [
        max(np.abs(wanted[head] - OnnxSession(one).run(inputs)[head]).max() for head in wanted)
        for one in (wide, narrow)
    ]
    assert gaps[0] < gaps[1]


def test_calibration_may_come_from_the_users_records(exported, tmp_path):
    model, *_ = exported
    source = model.task.splits["valid"]
    batch = getattr(source, "source", source).read(np.arange(40))
    np.savez(tmp_path / "records.npz", **{name: batch[name] for name in model.task.inputs})
    result = export_artifact(
        as_onnx(model, tmp_path),
        int8=True,
        calibration=str(tmp_path / "records.npz"),
        out=tmp_path / "run",
        quiet=True,
    )
    assert list(result["files"]) == ["int8"]


def test_a_loss_beyond_the_gate_is_exit_3_and_still_an_answer(exported, tmp_path, capsys, monkeypatch):
    model, *_ = exported
    bad = {"metric": "accuracy", "value": 0.5, "reference": 1.0, "share": 0.5, "target": 0.9, "met": False}
    row = {"file": "m", "bytes": 1, "difference": 0.1, "latency_ms": 1.0, "quality": bad}
    said = {"files": {"int8": row}, "met": False, "folder": "f", "report": "r"}
    monkeypatch.setattr("pomona.export.exporting.command.export_command", lambda *_, **__: said)
    assert exit_code(["export", str(model.folder), "--int8", "--json"]) == 0
    assert exit_code(["export", str(model.folder), "--int8", "--most-lost", "0.1"]) == 3
    assert "loses more than 10.00%" in capsys.readouterr().err


def test_a_model_without_layers_for_int8_is_refused():
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "relu",
        [value("x", TensorProto.FLOAT, ["b", 2])],
        [value("y", TensorProto.FLOAT, ["b", 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    with pytest.raises(SpecError, match="none of the layers that int8 is for"):
        quantised(model.SerializeToString(), [{"x": np.ones((1, 2), np.float32)}])


def test_an_artifact_that_is_an_onnx_file_has_no_program(exported, tmp_path):
    model, *_ = exported
    folder = as_onnx(model, tmp_path)
    result = export_artifact(folder, out=tmp_path / "run", quiet=True)
    assert result["files"]["onnx"]["difference"] == 0
    with pytest.raises(SettingError, match="no program"):
        export_artifact(folder, program=True, out=tmp_path / "other", quiet=True)


def test_an_artifact_whose_task_is_gone_needs_records_for_int8(exported, tmp_path):
    model, *_ = exported
    folder = as_onnx(model, tmp_path, task_name="gone")
    with pytest.raises(SettingError, match="int8 needs examples"):
        export_artifact(folder, int8=True, out=tmp_path / "run", quiet=True)
    result = export_artifact(folder, onnx=True, out=tmp_path / "other", quiet=True)
    assert result["files"]["onnx"]["quality"] is None
    assert not result["files"]["onnx"]["on_real_examples"]
    with pytest.raises(ArtifactError, match="cannot be had"):
        export_artifact(folder, onnx=True, task="iris", out=tmp_path / "third", quiet=True)


def test_an_artifact_without_an_onnx_file_is_exported_once(exported, tmp_path, monkeypatch):
    model, *_ = exported
    artifact, made = read_artifact(model.folder), []
    weights = {"weights.safetensors": model.folder / "weights.safetensors"}
    folder = write_artifact(tmp_path / "artifact", artifact, files=weights)

    def make(module, example, *, metadata):
        made.append(metadata["task_name"])
        return (model.folder / ONNX_FILE).read_bytes()

    monkeypatch.setattr("pomona.export.exporting.forms.onnx_bytes", make)
    result = export_artifact(folder, onnx=True, int8=True, out=tmp_path / "run", quiet=True)
    assert made == ['"digits"']
    assert result["files"]["onnx"]["difference"] < 1e-4


def test_the_command_prints_one_json_object(exported, capfd):
    model, folder, result = exported
    command = ["export", str(model.folder), "--onnx", "--int8", "--program", "--most-lost", "0.5", "--json"]
    assert exit_code([*command, "--out", str(folder), "--quiet"]) == 0
    assert json.loads(capfd.readouterr().out) == json.loads(json.dumps(result))
