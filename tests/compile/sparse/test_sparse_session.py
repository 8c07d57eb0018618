"""Sessions answer as ONNX Runtime does, natively where that is asked for or measured to be faster."""

import json

import numpy as np
import pytest
from onnx_samples import model, node, random

from pomona.compile import SparseSession
from pomona.compile.sparse import verdict as verdicts
from pomona.compile.sparse.verdict import Verdict
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.errors import ArtifactError, DataError, SettingError, SpecError

SHAPE = (3, 12, 10)


@pytest.fixture(autouse=True)
def own_verdicts(tmp_path, monkeypatch):
    """A folder of verdicts for each test; machine code stays where it is cached."""
    monkeypatch.setattr(verdicts, "cache_folder", lambda: tmp_path)


def pruned(*shape: int, seed: int = 0) -> np.ndarray:
    """Weights of which four fifths are zero."""
    kept = np.random.default_rng((seed, *shape)).random(shape) < 0.2
    return random(*shape, seed=seed) * kept


def network(batch: int | str = "batch", height: int | str = 12, extra=()) -> bytes:
    """A sparse network; `extra` nodes stand between its halves and map b to c."""
    nodes = [
        node("Conv", "x stem", "a", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Relu", "a", "a1"),
        node("Conv", "a1 w", "b0"),
        node("Clip", "b0 low high", "b"),
        *(extra or [node("Identity", "b", "c")]),
        node("Conv", "c depth", "d0", group=24, pads=[1, 1, 1, 1]),
        node("Conv", "d0 v", "e0"),
        node("Add", "e0 a1", "e"),
        node("GlobalAveragePool", "e", "f"),
        node("Flatten", "f", "g"),
        node("Gemm", "g head", "y", transB=1),
    ]
    weights = {
        "stem": random(16, 3, 3, 3),
        "w": pruned(24, 16, 1, 1),
        "depth": random(24, 1, 3, 3),
        "v": pruned(16, 24, 1, 1),
        "head": random(5, 16),
        "low": np.float32(0),
        "high": np.float32(6),
    }
    return model(nodes, {"x": [batch, 3, height, 10]}, weights, outputs=("y", "e"))


WHOLE = network()
SOFTPLUS = (node("Softplus", "b", "c"),)


def batch(size: int) -> dict[str, np.ndarray]:
    return {"x": random(size, *SHAPE)}


@pytest.mark.parametrize("size", [1, 3, 0])
def test_batches_of_any_size_are_answered_as_by_onnx_runtime(size):
    got = SparseSession(WHOLE, runtime="sparse").run(batch(size))
    wanted = OnnxSession(WHOLE).run(batch(size))
    for name, array in wanted.items():
        assert got[name].shape == array.shape
        np.testing.assert_allclose(got[name], array, rtol=1e-4, atol=1e-5)


def test_threads_give_the_same_bits():
    answers = [SparseSession(WHOLE, runtime="sparse", threads=count).run(batch(2)) for count in (1, 2, 3)]
    for name in ("y", "e"):
        assert {answer[name].tobytes() for answer in answers} == {answers[0][name].tobytes()}


def test_answers_are_the_callers_own():
    session = SparseSession(WHOLE, runtime="sparse")
    first = session.run(batch(1))
    kept = {name: array.copy() for name, array in first.items()}
    session.run({"x": 10 + batch(1)["x"]})
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])


def test_nodes_without_a_kernel_are_left_to_onnx_runtime_and_named():
    content = network(extra=SOFTPLUS)
    session = SparseSession(content, runtime="sparse")
    wanted = OnnxSession(content).run(batch(2))
    for name, array in session.run(batch(2)).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-4, atol=1e-5)
    assert session.describe().runtime == "both"
    assert session.describe().missing == ("Softplus Softplus to c: no step computes it",)
    assert "Softplus Softplus to c" in session.reason


def test_several_unlike_parts_run_one_after_another():
    extra = [
        node("Softplus", "b", "p"),
        node("Relu", "p", "q"),
        node("Shape", "q", "shape"),
        node("Softplus", "q", "r"),
        node("ArgMax", "r", "places", axis=1),
        node("Cast", "places", "floats", to=1),
        node("Mul", "floats zero", "nothing"),
        node("Add", "r nothing", "c"),
    ]
    content = network(extra=tuple(extra)).replace(b"zero", b"high")
    session = SparseSession(content, runtime="sparse")
    wanted = OnnxSession(content).run(batch(1))
    np.testing.assert_allclose(session.run(batch(1))["y"], wanted["y"], rtol=1e-4, atol=1e-4)


def stopwatch(monkeypatch, native_ms, onnx_ms, *, is_equal=True) -> list[int]:
    """Makes measuring give these times; the list grows with every measurement."""
    taken: list[int] = []

    def measured(*_, **__):
        taken.append(1)
        return Verdict(native_ms, onnx_ms, is_equal)

    monkeypatch.setattr(verdicts, "measured", measured)
    return taken


def test_the_faster_runtime_is_chosen_once(monkeypatch):
    taken = stopwatch(monkeypatch, 1.0, 2.0)
    for _ in range(2):
        session = SparseSession(WHOLE)
        assert session.is_native
        assert "1 ms natively, 2 ms in ONNX Runtime" in session.reason
    assert len(taken) == 1
    SparseSession(WHOLE, threads=2)
    assert len(taken) == 2


def test_onnx_runtime_is_kept_where_it_is_faster_or_answers_otherwise(monkeypatch):
    stopwatch(monkeypatch, 3.0, 2.0)
    slow = SparseSession(WHOLE)
    stopwatch(monkeypatch, 1.0, 2.0, is_equal=False)
    other = SparseSession(WHOLE, threads=2)
    assert not slow.is_native
    assert not other.is_native
    assert "answers otherwise" in other.reason
    np.testing.assert_array_equal(slow.run(batch(2))["y"], OnnxSession(WHOLE).run(batch(2))["y"])


def test_broken_verdicts_are_taken_anew(monkeypatch, tmp_path):
    taken = stopwatch(monkeypatch, 1.0, 2.0)
    SparseSession(WHOLE)
    (kept,) = tmp_path.rglob("*.json")
    for content in ("{", json.dumps({"version": 0}), json.dumps([1])):
        kept.write_text(content)
        SparseSession(WHOLE)
    assert len(taken) == 4


def test_measuring_compares_the_answers():
    class Runs:
        def __init__(self, factor):
            self.factor = factor

        def run(self, inputs):
            return {"y": inputs["x"] * np.float32(self.factor)}

    assert verdicts.measured(Runs(1), Runs(1.0000001), batch(2)).is_equal
    assert not verdicts.measured(Runs(1), Runs(1.1), batch(2)).is_equal


def test_models_that_are_not_sparse_or_have_nothing_to_be_sparse_go_to_onnx_runtime():
    dense = model([node("Conv", "x w", "y")], {"x": (1, 3, 4, 4)}, {"w": random(5, 3, 1, 1)})
    wide = model([node("Conv", "x w", "y")], {"x": (1, 3, 4, 4)}, {"w": random(5, 3, 3, 3)})
    for content, reason in ((dense, "not sparse: 0% of the weights"), (wide, "has no 1×1 convolution")):
        session = SparseSession(content)
        assert not session.is_native
        assert reason in session.reason
        assert session.run({"x": random(1, 3, 4, 4)})["y"].shape[1] == 5


def test_free_axes_are_asked_for_or_left_to_onnx_runtime():
    content = network(height="height")
    session = SparseSession(content)
    assert not session.is_native
    assert "input 'x' has the free axes height: give shapes={'x'" in session.reason
    assert session.run({"x": random(1, 3, 8, 10)})["y"].shape == (1, 5)
    with pytest.raises(SpecError, match="free axes height"):
        SparseSession(content, runtime="sparse")
    fixed = SparseSession(content, runtime="sparse", shapes={"x": SHAPE})
    np.testing.assert_allclose(fixed.run(batch(1))["y"], OnnxSession(content).run(batch(1))["y"], rtol=1e-4)
    for shapes in ({"x": (3, 12)}, {"x": (4, 12, 10)}, {"z": SHAPE}):
        with pytest.raises(SettingError, match=r"'x'|'z'"):
            SparseSession(content, shapes=shapes)


def test_several_examples_at_a_time_are_left_to_onnx_runtime():
    session = SparseSession(network(batch=2))
    assert "takes 2 examples at a time" in session.reason
    assert session.run(batch(2))["y"].shape == (2, 5)


def test_a_model_of_one_example_takes_batches_in_either_runtime():
    content = network(batch=1)
    native, dense = (SparseSession(content, runtime=runtime) for runtime in ("sparse", "onnx"))
    for name, array in dense.run(batch(3)).items():
        assert len(array) == 3
        np.testing.assert_allclose(native.run(batch(3))[name], array, rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError, match="lacks x"):
        dense.run({})


def test_wrong_inputs_are_named():
    session = SparseSession(WHOLE, runtime="sparse")
    for inputs, message in (
        ({}, "the model reads x; the batch lacks x"),
        ({"x": random(1, 3, 12, 11)}, "input 'x' is float32 of"),
        ({"x": np.full((1, *SHAPE), "a")}, "input 'x' is <U1 of"),
    ):
        with pytest.raises(DataError, match=message):
            session.run(inputs)


def test_wrong_settings_are_named(tmp_path):
    with pytest.raises(SettingError, match="no runtime 'dense'"):
        SparseSession(WHOLE, runtime="dense")
    with pytest.raises(SettingError, match="threads is at least 1"):
        SparseSession(WHOLE, threads=0)
    with pytest.raises(ArtifactError, match="no file or artifact"):
        SparseSession(tmp_path / "model.onnx")


def test_every_layer_is_described():
    description = SparseSession(WHOLE, runtime="sparse").describe()
    layers = {layer.name: layer for layer in description.layers}
    assert layers["Conv to b0"].op == "pointwise clip"
    assert layers["Conv to b0"].shape == (24, 6, 5)
    assert 0.7 < layers["Conv to b0"].sparsity < 0.9
    assert layers["Conv to b0"].kernel
    assert all(layer.microseconds > 0 for layer in description.layers)
    assert "24×6×5" in str(description)


def test_properties_of_the_file_are_kept():
    import onnx

    content = onnx.load_from_string(WHOLE)
    content.metadata_props.add(key="task", value="leaves")
    assert SparseSession(content.SerializeToString()).metadata == {"task": "leaves"}
