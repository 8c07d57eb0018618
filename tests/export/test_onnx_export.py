"""Exported networks say what torch says, for every kind of task and size of batch, and say what they are."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from pomona.export.example import random_batch
from pomona.export.metadata import artifact_of, metadata_of
from pomona.export.onnx import OPSET, export_onnx, onnx_bytes
from pomona.export.parity import check_parity, difference
from pomona.export.program import export_program
from pomona.export.sessions import OnnxSession, TorchSession
from pomona.foundation.artifact import Artifact, read_artifact
from pomona.foundation.errors import SpecError
from pomona.tasks.feature import Feature

KINDS = ("classify", "multilabel", "regress", "segment", "sequence", "language", "forecast", "several")
NUMBER = {"y": Feature("y", "number", (2,)).to_json()}
ROW = Feature("x", "vector", (3,))
PLAIN = Artifact("onnx", "toy", "regress", {"x": ROW.to_json()}, NUMBER)


class Heads(nn.Module):
    """Any module of "x" as a network with the head "y"."""

    def __init__(self, inner: nn.Module, head: str = "y"):
        super().__init__()
        self.inner = inner
        self.head = head

    def forward(self, inputs):
        return {self.head: self.inner(inputs["x"])}


def rows(num_examples: int, *shape: int, seed: int = 0) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(seed).standard_normal((num_examples, *shape)).astype(np.float32)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_examples", [1, 2, 7])
def test_onnx_says_what_torch_says(saved, kind, num_examples):
    model = saved(kind)
    onnx, module = OnnxSession(model.folder / "model.onnx"), TorchSession(model.module)
    batch = random_batch(model.task.inputs, num_examples, generator=np.random.default_rng(num_examples))
    assert check_parity(module, onnx, [batch], tolerance=1e-5) < 1e-5
    assert {head: len(values) for head, values in onnx.run(batch).items()} == dict.fromkeys(
        model.task.targets, num_examples
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_says_what_it_is(saved, kind):
    model = saved(kind)
    metadata = OnnxSession(model.folder / "model.onnx").metadata
    told, artifact = artifact_of(metadata), read_artifact(model.folder)
    for field in (
        "task_name",
        "task_kind",
        "inputs",
        "targets",
        "preprocessing",
        "calibration",
        "spec",
        "card",
    ):
        assert getattr(told, field) == getattr(artifact, field)
    assert told.kind == "onnx"
    assert told.metrics == artifact.metrics
    assert json.loads(metadata["pomona"]) is not None
    for name, feature in model.task.targets.items():
        assert tuple(told.targets[name].get("classes", ())) == feature.classes


def test_the_graph_is_what_it_should_be(saved):
    import onnx

    graph = onnx.load(saved("classify").folder / "model.onnx")
    onnx.checker.check_model(graph)
    assert [entry.version for entry in graph.opset_import if not entry.domain] == [OPSET]
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.producer_name == "pomona"


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU()), (2, 6, 6)),
        (nn.Sequential(nn.Conv1d(2, 4, 3, bias=False), nn.BatchNorm1d(4), nn.ReLU()), (2, 6)),
    ],
)
def test_batch_norm_is_folded_into_the_convolution(inner, shape):
    import onnx

    inner[1].running_mean.uniform_(-1, 1)
    inner[1].running_var.uniform_(0.5, 2)
    model = onnx_bytes(Heads(inner), rows(2, *shape))
    assert [node.op_type for node in onnx.load_from_string(model).graph.node] == ["Conv", "Relu"]
    check_parity(TorchSession(Heads(inner)), OnnxSession(model), [rows(3, *shape, seed=1)], tolerance=1e-5)


@pytest.mark.parametrize("layer", [nn.LSTM(3, 5, batch_first=True), nn.GRU(3, 5, batch_first=True)])
def test_a_recurrent_layer_becomes_one_node(layer):
    import onnx

    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x)[0]

    module = Heads(First())
    model = onnx_bytes(module, rows(2, 9, 3))
    kinds = [node.op_type for node in onnx.load_from_string(model).graph.node]
    assert kinds.count(type(layer).__name__) == 1
    assert set(kinds) <= {type(layer).__name__, "Transpose", "Squeeze"}
    check_parity(TorchSession(module), OnnxSession(model), [rows(1, 9, 3), rows(7, 9, 3)], tolerance=1e-5)
    assert type(module.inner.layer) is type(layer), "the module that was given stays as it was"


def test_other_recurrent_layers_are_exported_too():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LSTM(3, 5, num_layers=2, bidirectional=True)

        def forward(self, x):
            return self.layer(x.transpose(0, 1))[0].transpose(0, 1)

    module = Heads(Both())
    model = onnx_bytes(module, rows(2, 4, 3))
    check_parity(TorchSession(module), OnnxSession(model), [rows(5, 4, 3)], tolerance=1e-5)


def test_a_head_may_have_the_name_of_an_input():
    module = Heads(nn.Linear(3, 2), head="x")
    got = OnnxSession(onnx_bytes(module, rows(2, 3))).run(rows(4, 3))
    np.testing.assert_allclose(got["x"], TorchSession(module).run(rows(4, 3))["x"], atol=1e-6)


def test_one_example_is_enough_and_other_entries_are_left_out():
    batch = {**rows(1, 3), "weight": np.ones(1, np.float32), "name": np.array(["a"], object)}
    session = OnnxSession(onnx_bytes(Heads(nn.Linear(3, 2)), batch))
    assert session.run(rows(5, 3))["y"].shape == (5, 2)


class Forgetful(nn.Module):
    """Says something else when it is traced."""

    def forward(self, x):
        return x[:, :2] + (1.0 if torch.compiler.is_exporting() else 0.0)


class Undecided(nn.Module):
    """Goes by the values, which a trace cannot."""

    def forward(self, x):
        return x[:, :2] if x.sum() > 0 else -x[:, :2]


@pytest.mark.parametrize(
    ("inner", "says"),
    [(Forgetful(), "head 'y' of the exported network differs"), (Undecided(), "cannot be exported")],
)
def test_a_wrong_export_is_refused_and_leaves_no_file(tmp_path, inner, says):
    with pytest.raises(SpecError, match=says) as caught:
        export_onnx(Heads(inner), rows(2, 3), tmp_path / "m.onnx", artifact=PLAIN)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_difference_is_relative_and_never_overlooks_what_is_not_a_number():
    wanted = np.array([100.0, -50.0], np.float32)
    assert difference(wanted, wanted + 1) == pytest.approx(0.01)
    assert difference(wanted, wanted[:1]) == np.inf
    assert difference(wanted, np.array([100.0, np.nan])) == np.inf
    assert difference(np.array([np.nan, 2.0]), np.array([np.nan, 2.0])) == 0
    assert difference(np.zeros(2), np.full(2, 0.5)) == 0.5
    assert difference(np.zeros((0, 2)), np.zeros((0, 2))) == 0


def test_exporting_prints_and_warns_nothing():
    code = (
        "import sys, numpy as np; from torch import nn\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_onnx_export import Heads, rows, onnx_bytes\n"
        "onnx_bytes(Heads(nn.Linear(3, 2)), rows(2, 3))\n"
    )
    folder = __file__.rpartition("/")[0]
    command = [sys.executable, "-W", "always", "-c", code, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if "Warning" in line and "onnx" in line.lower()] == []


def test_a_program_runs_without_our_code(saved, tmp_path):
    model = saved("sequence")
    batch = random_batch(model.task.inputs, 2, generator=np.random.default_rng(0))
    path = export_program(model.module, batch, tmp_path / "network.pt2")
    program = torch.export.load(path).module()
    other = random_batch(model.task.inputs, 5, generator=np.random.default_rng(1))
    got = program({name: torch.as_tensor(array) for name, array in other.items()})
    for head, wanted in TorchSession(model.module).run(other).items():
        np.testing.assert_allclose(got[head].detach().numpy(), wanted, atol=1e-6)


def test_a_program_that_cannot_be_captured_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"torch\.export cannot capture"):
        export_program(Heads(Undecided()), rows(2, 3), tmp_path / "network.pt2")
    assert list(tmp_path.iterdir()) == []


def test_metadata_round_trips():
    told = artifact_of(metadata_of(PLAIN))
    assert (told.task_name, told.inputs, told.targets) == ("toy", PLAIN.inputs, PLAIN.targets)
