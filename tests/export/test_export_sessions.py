"""Sessions: the same answers behind one interface, and errors in one line."""

import numpy as np
import pytest
import torch
from torch import nn

from pomona.export.onnx import onnx_bytes
from pomona.export.sessions import OnnxSession, TorchSession
from pomona.foundation.errors import ArtifactError, DataError


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.dropout = nn.Dropout(0.9)

    def forward(self, inputs):
        return {"y": self.dropout(self.linear(inputs["x"]))}


@pytest.fixture(scope="module")
def line():
    return Line().train()


@pytest.fixture(scope="module")
def model(line):
    return onnx_bytes(line, {"x": np.zeros((2, 3), np.float32)})


BATCH = {"x": np.arange(12, dtype=np.float32).reshape(4, 3), "name": np.array(list("abcd"), object)}


def test_sessions_agree_and_evaluate(line, model, tmp_path):
    (tmp_path / "m.onnx").write_bytes(model)
    sessions = [TorchSession(line), OnnxSession(model), OnnxSession(tmp_path / "m.onnx", threads=2)]
    wanted = BATCH["x"] @ line.linear.weight.detach().numpy().T + line.linear.bias.detach().numpy()
    for session in sessions:
        (got,) = session.run(BATCH).values()
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_a_torch_session_leaves_the_number_of_threads_as_it_was(line):
    before = torch.get_num_threads()
    seen = []

    class Spy(nn.Module):
        def forward(self, inputs):
            seen.append(torch.get_num_threads())
            return {"y": inputs["x"]}

    session = TorchSession(Spy(), threads=before + 1)
    session.run({"x": BATCH["x"]})
    assert (seen, torch.get_num_threads(), session.threads) == ([before + 1], before, before + 1)


def test_an_onnx_session_has_the_threads_it_was_given(model):
    assert OnnxSession(model, threads=2).threads == 2


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        ({}, "the batch lacks x"),
        ({"x": np.zeros((2, 4), np.float32)}, "refuses the batch"),
        ({"x": np.zeros((2, 3), np.float64)}, "refuses the batch"),
    ],
)
def test_a_wrong_batch_is_refused_in_one_line(model, batch, says):
    with pytest.raises(DataError, match=says) as caught:
        OnnxSession(model).run(batch)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x0a" + bytes(200)])
def test_what_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    for source in (content, tmp_path / "m.onnx", tmp_path / "nowhere.onnx"):
        with pytest.raises(ArtifactError, match="ONNX Runtime cannot load") as caught:
            OnnxSession(source)
        assert "\n" not in str(caught.value)
