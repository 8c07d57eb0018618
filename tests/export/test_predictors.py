"""Saved models answer as the network did, whatever runs them, and refuse what is not whole."""

import contextlib
import dataclasses
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pomona.export import load, save_ensemble, save_network
from pomona.export.predictors.network import network_module
from pomona.export.sessions import TorchSession
from pomona.foundation.artifact import read_artifact, write_artifact
from pomona.foundation.errors import ArtifactError, DataError, InputError
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task
from pomona.tasks.outputs import decide

KINDS = ("classify", "multilabel", "regress", "segment", "sequence", "language", "forecast", "several")


@pytest.fixture(scope="session")
def iris(tmp_path_factory):
    """Two networks for iris, and the ensemble of both."""
    folder, task = tmp_path_factory.mktemp("iris"), load_task("iris")
    spec, example = default_spec(task), task.splits["valid"].read(np.arange(6))
    members = {}
    for seed in (0, 1):
        network = build(spec, seed)
        members[f"m{seed}"] = save_network(folder / f"m{seed}", task, spec, network.state_dict())
    calibration = {"temperature": {"species": 0.7}, "conformal": None}
    weights = {"m0": 1.0, "m1": 3.0}
    ensemble = save_ensemble(
        folder / "both", task, members, weights, example=example, calibration=calibration
    )
    return task, spec, members, ensemble


def raw(task, num_examples=5, seed=0):
    generator = np.random.default_rng(seed)
    return {column: generator.uniform(0, 8, num_examples) for column in task.preprocessing.columns}


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_network_is_the_one_that_was_saved(saved, kind):
    model = saved(kind)
    loaded = load(model.folder)
    state = loaded.session.module.network.state_dict()
    for name, weight in model.network.state_dict().items():
        assert torch.equal(state[name], weight), name
    wanted = TorchSession(model.module).run(model.example)
    for target, values in loaded.predict_batch(model.example).items():
        np.testing.assert_array_equal(values, wanted[target])
    assert loaded.spec == model.network.spec
    assert dict(loaded.inputs) == dict(model.task.inputs)
    assert dict(loaded.targets) == dict(model.task.targets)
    assert (loaded.kind, loaded.card) == ("network", f"# {model.task.name}\n")
    assert loaded.metrics == {"test": {"score": 0.5}}


@pytest.mark.parametrize("kind", KINDS)
def test_torch_onnx_and_the_file_alone_agree(saved, kind):
    model = saved(kind)
    wanted = load(model.folder).predict_batch(model.example)
    for other in (load(model.folder, runtime="onnx"), load(model.folder / "model.onnx")):
        got = other.predict_batch(model.example)
        for target, values in wanted.items():
            np.testing.assert_allclose(got[target], values, rtol=1e-4, atol=1e-5)
        assert dict(other.inputs) == dict(model.task.inputs)
        assert other.spec == model.network.spec


def test_decisions_are_those_of_the_predictions(iris):
    task, _, members, _ = iris
    model, data = load(members["m0"]), raw(task, 300)
    probabilities = model.predict_proba(data)
    assert probabilities.shape == (300, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert model.predict(data) == decide("classify", probabilities, task.targets["species"])
    one_by_one = [
        model.predict({name: values[i : i + 1] for name, values in data.items()})[0] for i in range(5)
    ]
    assert one_by_one == model.predict(data)[:5]


def test_a_model_with_several_targets_answers_by_target(saved):
    model = saved("several")
    columns = model.task.preprocessing.columns
    source = model.task.splits["valid"].source
    data = {name: source.read(np.arange(3))[name] for name in columns}
    answers = load(model.folder).predict(data)
    assert set(answers) == set(model.task.targets)
    assert all(len(values) == 3 for values in answers.values())


def test_an_ensemble_is_the_weighted_mean_sharpened_by_its_own_temperature(iris):
    task, _, members, ensemble = iris
    data = raw(task)
    mean = sum(w * load(members[m]).predict_proba(data) for m, w in {"m0": 0.25, "m1": 0.75}.items())
    sharp = mean ** (1 / 0.7)
    wanted = sharp / sharp.sum(1, keepdims=True)
    both = load(ensemble)
    assert (both.kind, both.spec) == ("ensemble", None)
    for predictor in (both, load(ensemble, runtime="onnx"), load(ensemble / "model.onnx")):
        np.testing.assert_allclose(predictor.predict_proba(data), wanted, rtol=1e-4, atol=1e-6)


def test_an_ensemble_can_be_a_member(iris, tmp_path):
    task, _, members, ensemble = iris
    weights = {"all": 1.0, "one": 1.0}
    whole = save_ensemble(tmp_path / "e", task, {"all": ensemble, "one": members["m0"]}, weights)
    data = raw(task)
    mean = (load(ensemble).predict_proba(data) + load(members["m0"]).predict_proba(data)) / 2
    np.testing.assert_allclose(load(whole).predict_proba(data), mean, rtol=1e-5, atol=1e-6)


def test_an_ensemble_copies_its_members(iris, tmp_path):
    task, _, members, _ = iris
    own = {name: tmp_path / name for name in members}
    for name, path in own.items():
        shutil.copytree(members[name], path)
    ensemble = save_ensemble(tmp_path / "e", task, own, {"m0": 1.0, "m1": 1.0})
    before = load(ensemble).predict_proba(raw(task))
    for path in own.values():
        shutil.rmtree(path)
    np.testing.assert_array_equal(load(ensemble).predict_proba(raw(task)), before)


@pytest.mark.parametrize("weights", [{"m0": 1.0}, {"m0": 1.0, "m1": -1.0}, {"m0": 0.0, "m1": 0.0}, {}])
def test_an_ensemble_needs_a_weight_for_each_member(iris, weights, tmp_path):
    task, _, members, _ = iris
    with pytest.raises(ArtifactError, match="needs a weight of at least 0 for each member"):
        save_ensemble(tmp_path / "e", task, members, weights)
    assert not (tmp_path / "e").exists()


def test_a_member_is_of_the_same_task(iris, saved, tmp_path):
    task, _, members, _ = iris
    odd = {"m0": members["m0"], "odd": saved("classify").folder}
    with pytest.raises(ArtifactError, match="is no member of this ensemble: its inputs is another"):
        save_ensemble(tmp_path / "e", task, odd, {"m0": 1.0, "odd": 1.0})


def test_what_the_model_cannot_read_is_refused_in_one_line(iris):
    _, _, members, _ = iris
    model = load(members["m0"])
    for data in (np.zeros((3, 5)), {"sepal": [1.0]}, 7, "nowhere.csv", []):
        with pytest.raises(InputError) as caught:
            model.predict(data)
        assert "\n" not in str(caught.value)


def test_missing_and_odd_values_are_what_preprocessing_makes_of_them(iris):
    task, _, members, _ = iris
    data = raw(task, 2)
    first = next(iter(data))
    data[first] = np.array([np.nan, np.inf])
    assert np.isfinite(load(members["m0"]).predict_proba(data)).all()


def test_inputs_that_are_not_finite_are_refused_where_nothing_prepares_them(iris, tmp_path):
    from pomona.tasks.preprocessing import Preprocessing

    task, spec, _, _ = iris
    bare = dataclasses.replace(task, preprocessing=Preprocessing(()))
    folder = save_network(tmp_path / "m", bare, spec, build(spec, 0).state_dict())
    (name,) = task.inputs
    good = np.ones((2, *task.inputs[name].shape))
    assert load(folder).predict_proba({name: good}).shape == (2, 3)
    with pytest.raises(DataError, match="NaN or infinite"):
        load(folder).predict({name: good * np.nan})


def test_without_an_onnx_file_the_artifact_says_why(iris):
    _, _, members, _ = iris
    with pytest.raises(ArtifactError, match=r"has no model\.onnx \(it was saved without one\)"):
        load(members["m0"], runtime="onnx")


BLOCKS = """
import torch
from torch import nn

def wiggly(signal, *, width: int = 8) -> nn.Module:
    return nn.Sequential(nn.Linear(signal.width, width), nn.Tanh())

def forgetful(signal) -> nn.Module:
    class Forgetful(nn.Module):
        def forward(self, x):
            return x * 2 if torch.compiler.is_exporting() else x
    return Forgetful()
"""


def with_own_block(spec: Spec, block: str) -> Spec:
    (name,) = spec.inputs
    moved = tuple(
        Block(b.id, b.block, b.args, tuple("own" if s == name else s for s in b.sources)) for b in spec.blocks
    )
    return Spec(spec.inputs, (Block("own", block, {}, (name,)), *moved), spec.outputs)


@pytest.fixture
def own_blocks(tmp_path):
    (tmp_path / "my_blocks.py").write_text(BLOCKS)
    return tmp_path / "my_blocks.py"


def test_a_users_own_blocks_are_needed_and_must_be_the_same(iris, own_blocks, tmp_path):
    from pomona.networks.named import known_blocks

    task, spec, _, _ = iris
    own = with_own_block(spec, "wiggly")
    state = build(own, 0, blocks=known_blocks(own_blocks)).state_dict()
    example = task.splits["valid"].read(np.arange(3))
    folder = save_network(tmp_path / "m", task, own, state, blocks=own_blocks, example=example)
    wanted = load(folder, blocks=own_blocks).predict_proba(raw(task))
    np.testing.assert_allclose(load(folder, runtime="onnx").predict_proba(raw(task)), wanted, atol=1e-5)
    with pytest.raises(ArtifactError, match="give their file with --blocks"):
        load(folder)
    own_blocks.write_text(BLOCKS + "\n# a remark\n")
    with pytest.raises(ArtifactError, match="is not the file of blocks"):
        load(folder, blocks=own_blocks)


def test_a_network_without_own_blocks_does_not_need_their_file(iris, own_blocks, tmp_path):
    task, spec, _, _ = iris
    folder = save_network(tmp_path / "m", task, spec, build(spec, 0).state_dict(), blocks=own_blocks)
    assert read_artifact(folder).blocks_sha256 is None
    load(folder)


def test_a_network_that_cannot_be_exported_is_saved_all_the_same(iris, own_blocks, tmp_path):
    from pomona.networks.named import known_blocks

    task, spec, _, _ = iris
    own = with_own_block(spec, "forgetful")
    state = build(own, 0, blocks=known_blocks(own_blocks)).state_dict()
    example = task.splits["valid"].read(np.arange(3))
    folder = save_network(tmp_path / "m", task, own, state, blocks=own_blocks, example=example)
    assert load(folder, blocks=own_blocks).predict_proba(raw(task)).shape == (5, 3)
    with pytest.raises(ArtifactError, match="of the exported network differs"):
        load(folder, runtime="onnx")


def test_an_unknown_runtime_is_refused(iris):
    with pytest.raises(InputError, match="no runtime 'onxx'; did you mean 'onnx'"):
        load(iris[3], runtime="onxx")


def test_weights_of_another_network_are_refused(iris, tmp_path):
    _, spec, members, _ = iris
    other = dataclasses.replace(read_artifact(members["m0"]), spec=with_own_block(spec, "dense").to_json())
    weights = members["m0"] / "weights.safetensors"
    folder = write_artifact(tmp_path / "m", other, files={"weights.safetensors": weights})
    with pytest.raises(ArtifactError, match="does not fit the network"):
        load(folder)


def test_a_block_that_is_gone_is_refused_as_of_another_version(iris, tmp_path):
    _, spec, members, _ = iris
    other = dataclasses.replace(read_artifact(members["m0"]), spec=with_own_block(spec, "blurr").to_json())
    weights = members["m0"] / "weights.safetensors"
    folder = write_artifact(tmp_path / "m", other, files={"weights.safetensors": weights})
    with pytest.raises(ArtifactError, match=r"was written by Pomona .*blurr"):
        load(folder)


def test_weights_that_are_no_safetensors_are_refused(iris, tmp_path):
    _, _, members, _ = iris
    folder = write_artifact(
        tmp_path / "m", read_artifact(members["m0"]), files={"weights.safetensors": b"\x80\x04K\x01."}
    )
    with pytest.raises(ArtifactError, match="not readable as safetensors"):
        load(folder)


@pytest.mark.parametrize("content", [b"", b"x" * 500, b"\x08\x0a" + bytes(500)])
def test_an_onnx_file_that_is_not_ours_is_refused(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ArtifactError, match="no ONNX file that Pomona exported"):
        load(tmp_path / "m.onnx")


def test_a_sealed_onnx_file_without_a_task_is_refused(tmp_path):
    from test_export_sessions import Line

    from pomona.export.onnx import onnx_bytes

    (tmp_path / "m.onnx").write_bytes(onnx_bytes(Line(), {"x": np.zeros((2, 3), np.float32)}))
    with pytest.raises(ArtifactError, match="was not exported by Pomona"):
        load(tmp_path / "m.onnx")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_to_any_file_goes_unnoticed(iris, data):
    task, _, _, ensemble = iris
    files = sorted(p for p in ensemble.rglob("*") if p.is_file())
    path = data.draw(st.sampled_from(files))
    original = path.read_bytes()
    change = data.draw(st.sampled_from(["flip", "cut", "append"]))
    if change == "flip":
        place = data.draw(st.integers(0, len(original) - 1)) if original else 0
        changed = bytearray(original or b"x")
        changed[place] ^= data.draw(st.integers(1, 255))
    elif change == "cut":
        changed = original[: data.draw(st.integers(0, max(len(original) - 1, 0)))]
    else:
        changed = original + data.draw(st.binary(min_size=1, max_size=9))
    wanted = load_all(ensemble, task)
    path.write_bytes(changed)
    try:
        got = load_all(ensemble, task)
    finally:
        path.write_bytes(original)
    for before, after in zip(wanted, got, strict=True):
        assert after is None or np.array_equal(before, after)
    if path.name != "artifact.json" and bytes(changed) != original:
        assert got[0] is None
    if path == ensemble / "model.onnx" and bytes(changed) != original:
        assert got == [None, None, None]


def load_all(folder, task):
    """What torch, ONNX Runtime and the file alone predict, None where it is refused."""
    found = []
    for path, runtime in ((folder, "torch"), (folder, "onnx"), (folder / "model.onnx", "onnx")):
        found.append(None)
        with contextlib.suppress(ArtifactError):
            found[-1] = load(path, runtime=runtime).predict_proba(raw(task, 2))
    return found


def test_the_onnx_path_imports_no_torch(iris):
    _, _, _, ensemble = iris
    code = (
        "import sys, numpy, pomona\n"
        "for path in sys.argv[1:]:\n"
        "    model = pomona.load(path, runtime='onnx')\n"
        "    print(model.predict(numpy.ones((2, 4))), model.spec is None)\n"
        "assert 'torch' not in sys.modules, 'torch'"
    )
    paths = [str(ensemble), str(ensemble / "model.onnx")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_raw_heads_are_at_hand(iris):
    _, _, members, _ = iris
    module = network_module(members["m0"], read_artifact(members["m0"]))
    inputs = {"columns": torch.zeros(2, 4)}
    raw_head, head = module.network(inputs)["species"].detach(), module(inputs)["species"].detach()
    torch.testing.assert_close(raw_head.softmax(1), head)
