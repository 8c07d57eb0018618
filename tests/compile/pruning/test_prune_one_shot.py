"""Finished models lose little when they are pruned at once; the layer's maths is that of least squares."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pomona.compile.pruning.command import prune
from pomona.compile.pruning.one_shot.methods import largest, least_squares, reconstructed, surgeon_mask
from pomona.compile.pruning.one_shot.moments import Moments
from pomona.compile.pruning.patterns import Pattern
from pomona.foundation.errors import ArtifactError, DataError, Interrupted, SettingError

PLAIN = Pattern()


def inputs_of(seed: int, num_inputs: int, columns: int = 400) -> np.ndarray:
    """Inputs that go together, as those of real layers do."""
    generator = np.random.default_rng(seed)
    mixed = generator.standard_normal((num_inputs, num_inputs)) @ generator.standard_normal(
        (num_inputs, columns)
    )
    return mixed + generator.standard_normal((num_inputs, 1))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), num_inputs=st.integers(2, 12), share=st.floats(0.1, 0.9))
def test_the_entries_that_stay_are_the_least_squares_fit_on_them(seed, num_inputs, share):
    generator = np.random.default_rng(seed)
    x, target = inputs_of(seed, num_inputs), generator.standard_normal((3, 400))
    mask = generator.random((3, num_inputs)) < share
    found = least_squares(target @ x.T, x @ x.T, mask)
    for row in range(3):
        places = np.flatnonzero(mask[row])
        wanted = np.linalg.lstsq(x[places].T, target[row], rcond=None)[0]
        np.testing.assert_allclose(found[row, places], wanted, rtol=1e-5, atol=1e-7)
        assert not found[row, ~mask[row]].any()


def test_of_inputs_that_do_not_go_together_those_go_that_cost_least():
    """Without correlation the surgeon's rule is exact: removing an entry costs its square by its input's."""
    generator = np.random.default_rng(0)
    weight, powers = generator.standard_normal((5, 30)), generator.random(30)
    mask = surgeon_mask(weight, np.diag(powers), 0.4, PLAIN)
    costs = weight**2 * powers
    assert int(mask.sum()) == 60
    assert costs[~mask].max() < costs[mask].min()


def test_the_cost_of_the_first_input_is_that_of_fitting_the_others_again():
    x, weight = inputs_of(3, 6), np.random.default_rng(3).standard_normal((1, 6))
    gram = x @ x.T
    tried = np.array([[False, True, True, True, True, True]])
    lost = ((weight @ x - least_squares(weight @ gram, gram, tried) @ x) ** 2).sum()
    pivot = np.linalg.cholesky(np.linalg.inv(gram))[0, 0]
    assert lost == pytest.approx((weight[0, 0] / pivot) ** 2, rel=1e-6)


@pytest.mark.parametrize("pattern", [PLAIN, Pattern(block=2), Pattern(keep=2, of=4)])
def test_reconstruction_loses_less_than_magnitude_and_as_many_entries(pattern):
    for seed in range(4):
        dense = inputs_of(seed, 24)
        pruned = dense + 0.1 * np.random.default_rng(seed).standard_normal(dense.shape)
        weight = np.random.default_rng(seed).standard_normal((8, 24))
        moments = Moments.of(dense, pruned).centred()
        plain, fitted = (one(weight, moments, 0.5, pattern) for one in (largest, reconstructed))
        assert np.count_nonzero(plain) == np.count_nonzero(fitted) == weight.size // 2
        apart = [
            np.mean(
                (
                    weight @ (dense - dense.mean(1, keepdims=True))
                    - w @ (pruned - pruned.mean(1, keepdims=True))
                )
                ** 2
            )
            for w in (plain, fitted)
        ]
        assert apart[1] < 0.9 * apart[0]
        spread = np.mean((weight @ (dense - dense.mean(1, keepdims=True))) ** 2)
        assert moments.lost(weight, fitted) == pytest.approx(apart[1] / spread, rel=1e-6)


def test_moments_add_up():
    dense, pruned = inputs_of(1, 5), inputs_of(2, 5)
    whole = Moments.of(dense, pruned)
    parts = Moments.of(dense[:, :100], pruned[:, :100]) + Moments.of(dense[:, 100:], pruned[:, 100:])
    for name in ("gram", "cross", "dense_gram", "dense_mean", "pruned_mean"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)
    np.testing.assert_allclose(whole.centred().gram, np.cov(pruned, bias=True) * 400, rtol=1e-9)


def tensor(seed: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) / np.sqrt(shape[1])).astype(np.float32)


def model_file(path: Path, *, batch: object = "n", channels_first: bool = True, version: int = 9) -> Path:
    """3 × 3, 1 × 1 without and with bias and stride, pooling, Gemm of both kinds, MatMul."""
    weights = {
        "w1": tensor(1, 16, 3, 3, 3), "w2": tensor(2, 24, 16, 1, 1), "w3": tensor(3, 20, 24, 1, 1),
        "b3": tensor(4, 20, 1)[:, 0], "w4": tensor(5, 20, 16), "b4": np.ones(16, np.float32),
        "w5": tensor(6, 16, 16), "w6": tensor(7, 5, 16), "b6": np.zeros(5, np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1], name="first"),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], name="wide"),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("Conv", ["r2", "w3", "b3"], ["c3"], strides=[2, 2], name="narrow"),
        helper.make_node("GlobalAveragePool", ["c3"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["g4"], name="gemm"),
        helper.make_node("Relu", ["g4"], ["r4"]),
        helper.make_node("MatMul", ["r4", "w5"], ["m5"], name="product"),
        helper.make_node("Gemm", ["m5", "w6", "b6"], ["y"], transB=1, name="last"),
    ]
    shape = [batch, 3, 8, 8] if channels_first else [batch, 8, 8, 3]
    if not channels_first:
        nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), *nodes]
        nodes[1].input[0] = "t"
    graph = helper.make_graph(
        nodes, "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 5])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    if version < 4:
        graph.input.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, a.shape) for name, a in weights.items()
        )
    opset = 7 if version < 4 else 17
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=version)
    onnx.save(model, path)
    return path


def calibration(path: Path, *shape: int, seed: int = 0) -> Path:
    np.savez(path, x=np.random.default_rng(seed).random(shape or (40, 3, 8, 8), np.float32))
    return path


def outputs(path: str | Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def constant(path: str | Path, node: str) -> np.ndarray:
    graph = onnx.load(str(path)).graph
    name = next(one.input[1] for one in graph.node if one.name == node)
    return numpy_helper.to_array(next(one for one in graph.initializer if one.name == name))


@pytest.mark.parametrize(("batch", "version"), [("n", 9), (1, 9), ("n", 3)])
def test_a_file_from_anyone_is_pruned_and_says_how_far_it_is_off(tmp_path, batch, version):
    path = model_file(tmp_path / "net.onnx", batch=batch, version=version)
    data = calibration(tmp_path / "x.npz")
    errors = {}
    for method in ("magnitude", "reconstruct"):
        found = prune(
            path, method=method, sparsity="0.6", calibration=data, out=tmp_path / method, quiet=True
        )
        errors[method] = found["errors"]["y"]["relative"]
        for name in ("wide", "narrow", "gemm", "product"):
            weight = constant(found["artifact"], name)
            assert np.count_nonzero(weight) == round(0.4 * weight.size), name
        assert np.array_equal(constant(found["artifact"], "last"), constant(path, "last"))
        assert np.array_equal(constant(found["artifact"], "first"), constant(path, "first"))
        onnx.checker.check_model(onnx.load(found["artifact"]), full_check=True)
        held = np.load(data)["x"][3::4]
        examples = [held] if batch == "n" else held[:, None]
        wanted, got = (
            np.concatenate([outputs(one, part) for part in examples]) for one in (path, found["artifact"])
        )
        apart = np.sqrt(((wanted - got) ** 2).mean() / ((wanted - wanted.mean(0)) ** 2).mean())
        assert errors[method] == pytest.approx(apart, rel=1e-3)
    assert errors["reconstruct"] < errors["magnitude"]


def test_at_sparsity_0_the_model_says_the_same(tmp_path):
    path = model_file(tmp_path / "net.onnx")
    found = prune(
        path, method="reconstruct", sparsity="0", calibration=calibration(tmp_path / "x.npz"),
        dense="none", out=tmp_path / "out", quiet=True,
    )  # fmt: skip
    assert found["errors"]["y"]["relative"] < 1e-3
    assert found["nonzero"] <= found["parameters"]


def test_magnitude_keeps_the_mean_output_of_the_last_layer(tmp_path):
    path = model_file(tmp_path / "net.onnx")
    data = calibration(tmp_path / "x.npz")
    found = prune(path, sparsity="0.7", dense="none", calibration=data, out=tmp_path / "out", quiet=True)
    fitted = np.delete(np.load(data)["x"], np.s_[3::4], axis=0)
    means = [outputs(one, fitted).mean(axis=0) for one in (path, found["artifact"])]
    np.testing.assert_allclose(means[0], means[1], atol=1e-5)


def test_images_are_read_at_the_size_of_the_model_in_both_layouts(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for place in range(8):
        pixels = np.random.default_rng(place).integers(0, 255, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    errors = []
    for is_first in (True, False):
        path = model_file(tmp_path / f"{is_first}.onnx", channels_first=is_first)
        found = prune(
            path,
            sparsity="0.5",
            calibration=folder,
            pixels="-1,1",
            out=tmp_path / f"run-{is_first}",
            quiet=True,
        )
        errors.append(found["errors"]["y"]["relative"])
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)


def test_a_stopped_pruning_goes_on_with_the_layers_that_are_left(tmp_path, monkeypatch):
    from pomona.compile.pruning.one_shot import graph

    path, data = model_file(tmp_path / "net.onnx"), calibration(tmp_path / "x.npz")
    asked = {"method": "reconstruct", "sparsity": "0.5", "calibration": data, "quiet": True}
    whole = prune(path, out=tmp_path / "whole", **asked)
    layer_moments, seen = graph.layer_moments, []

    def counted(dense, sparse, one, known):
        if len(seen) == 2:
            raise Interrupted("stopped")
        seen.append(one.layer.name)
        return layer_moments(dense, sparse, one, known)

    monkeypatch.setattr(graph, "layer_moments", counted)
    with pytest.raises(Interrupted):
        prune(path, out=tmp_path / "part", **asked)
    first = list(seen)
    seen[:] = [""] * 3
    found = prune(path, out=tmp_path / "part", **asked)
    assert len(seen) == 3 + 4 - len(first)
    assert Path(found["artifact"]).read_bytes() == Path(whole["artifact"]).read_bytes()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({}, SettingError, "--random-calibration"),
        ({"calibration": "gone.npz"}, DataError, "no npz file"),
        ({"calibration": (40, 3, 9, 9)}, DataError, "reads 'x'"),
        ({"calibration": (3, 3, 8, 8)}, DataError, "at least 4"),
        ({"random_calibration": True, "method": "rigl"}, SettingError, "reconstruct"),
        ({"random_calibration": True, "teacher": 0.5}, SettingError, "not trained"),
        ({"random_calibration": True, "pattern": "1:4"}, SettingError, "0.75"),
        ({"random_calibration": True, "dense": "wide,nobody"}, SettingError, "nobody"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(tmp_path, changes, error, words):
    path = model_file(tmp_path / "net.onnx")
    if isinstance(changes.get("calibration"), tuple):
        changes = {**changes, "calibration": calibration(tmp_path / "x.npz", *changes["calibration"])}
    with pytest.raises(error, match=words) as caught:
        prune(path, out=tmp_path / "out", quiet=True, **changes)
    assert "\n" not in str(caught.value)


def test_a_model_without_layers_to_prune_and_a_cut_file_are_refused(tmp_path):
    node = helper.make_node("Relu", ["x"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 2]) for name in "xy"]
    graph = helper.make_graph([node], "net", values[:1], values[1:])
    path = tmp_path / "relu.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    with pytest.raises((SettingError, DataError)):
        prune(path, random_calibration=True, out=tmp_path / "a", quiet=True)
    content = model_file(tmp_path / "net.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError):
        prune(tmp_path / "cut.onnx", random_calibration=True, out=tmp_path / "b", quiet=True)
