"""`pomona partition` as a user runs it."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pomona.cli.main import exit_code
from pomona.compile.pipeline import command
from pomona.compile.pipeline.costs import Transfer


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model of three layers; what starts processes to take times is left out."""
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(command, "measured_transfer", lambda: Transfer(10.0, 50.0))
    monkeypatch.setattr(command, "timed_together", lambda made, folder: made)
    monkeypatch.chdir(tmp_path)
    weight = np.eye(4, dtype=np.float32)
    nodes = [helper.make_node("MatMul", [f"x{k}", "w"], [f"x{k + 1}"]) for k in range(3)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x0", "x3")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [numpy_helper.from_array(weight, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, tmp_path / "model.onnx")
    return "model.onnx"


def test_json_is_one_object_with_the_keys_that_users_rely_on(model, capfd):
    assert exit_code(["partition", model, "--stages", "3", "--predict-only", "--out", "run", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    keys = {"stages", "stage_ms", "predicted_throughput", "measured_throughput", "single_throughput", "plan"}
    assert keys <= found.keys()
    assert found["stages"] == len(found["stage_ms"]) == 3


def test_without_json_a_person_reads_stages_and_where_the_plan_is(model, capfd):
    assert exit_code(["partition", model, "--predict-only", "--out", "run"]) == 0
    out = capfd.readouterr().out
    assert "2 stages by" in out
    assert "plan      run/partition/plan.json" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.onnx", "--stages", "4"], "4 stages are wanted, the model can be cut into 3"),
        (["model.onnx", "--stages", "0"], "stages must be at least 1, got 0"),
        (["none.onnx"], "there is no artifact or file none.onnx"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(model, capfd, arguments, message):
    assert exit_code(["partition", *arguments, "--predict-only", "--out", "run", "--quiet"]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
