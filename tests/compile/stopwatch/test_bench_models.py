"""Models in this process as systems: artifacts and files, on each runtime, with their quality."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pomona.compile.stopwatch.library import from_task
from pomona.compile.stopwatch.quality import reference_quality, system_quality
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.model import reference_session
from pomona.compile.stopwatch.systems.open import open_subjects
from pomona.compile.stopwatch.systems.subject import parse
from pomona.export.exported_latency import traced_onnx
from pomona.export.predictors.network import save_network
from pomona.export.quality import compared
from pomona.export.sessions import LiteRtSession
from pomona.foundation.assets import fetch
from pomona.foundation.errors import AssetError, DataError, InputError
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.tasks import DrawnSource, load_task
from pomona.tasks.batch import take
from pomona.tasks.options import DataOptions

IRIS, WINE = load_task("iris"), load_task("wine")


def affine(path, batch=None, features=4, classes=3, bias=0.0):
    """A file with y = x W + bias, W fixed."""
    weight = np.linspace(-1, 1, 4 * classes, dtype=np.float32).reshape(4, classes)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "affine",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch or "batch", features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch or "batch", classes])],
        [
            onnx.numpy_helper.from_array(weight, "w"),
            onnx.numpy_helper.from_array(np.full(classes, bias, np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, path)
    return str(path)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("iris") / "artifact"
    spec = default_spec(IRIS)
    example = IRIS.splits["valid"].read(np.arange(2))
    with pytest.MonkeyPatch.context() as patch:
        # torch's older exporter takes a tenth of the time, and what it makes is not what is tested here
        patch.setattr("pomona.export.predictors.saving.export_onnx", export_quickly)
        return save_network(folder, IRIS, spec, build(spec, 0).state_dict(), example=example)


def export_quickly(module, example, path, **_):
    path.write_bytes(traced_onnx(module, example))
    return path


def opened(words, **settings):
    return open_subjects([parse((str(words),))], BenchSettings(**settings), DataOptions(), seed=0)


def test_an_artifact_runs_on_torch_and_onnx_alike(artifact):
    both = opened(artifact, runtime="torch, onnx")
    assert [system.runtime for system in both.systems] == ["torch", "onnx"]
    answers = [system.connect().answer(np.array([0, 5, 7])) for system in both.systems]
    for ours, theirs in zip(answers[0].values(), answers[1].values(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert both.library.about.endswith("test examples of iris")
    assert opened(artifact).systems[0].runtime == "onnx"


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_a_file_with_a_fixed_batch_is_called_as_often_as_it_takes(tmp_path, batch):
    found = opened(affine(tmp_path / "m.onnx", batch=batch))
    assert found.library.about.startswith("16 made-up")
    samples = np.array([3, 1, 0, 2])
    got = found.systems[0].connect().answer(samples)["y"]
    weight = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_allclose(got, found.library.arrays["x"][samples] @ weight, rtol=1e-5)


def test_free_axes_and_wrong_runtimes_are_one_clear_line(tmp_path, artifact):
    path = affine(tmp_path / "m.onnx")
    free = affine(tmp_path / "free.onnx", features="time")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    for words, settings, says in (
        (free, {}, "free axes besides the first .*--inputs FILE.npz or --task"),
        (path, {"runtime": "torch"}, "choose onnx or sparse"),
        (path, {"runtime": "onx"}, "did you mean 'onnx'"),
        (path, {"task": "digits"}, "the data has"),
        (artifact, {"runtime": "litert"}, r"\.tflite"),
        (artifact, {"task": "digits"}, "other inputs"),
        (tmp_path / "broken.onnx", {}, "cannot load"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            opened(words, **settings).systems[0].connect()
        assert "\n" not in str(caught.value)


def test_inputs_of_a_free_axis_can_be_given(tmp_path):
    np.savez(tmp_path / "rows.npz", x=np.ones((3, 4), np.float32))
    found = opened(affine(tmp_path / "m.onnx", features="time"), inputs=tmp_path / "rows.npz")
    assert found.systems[0].connect().answer(np.array([1]))["y"].shape == (1, 3)


def test_quality_is_that_of_all_test_examples_whatever_the_size_of_a_query(artifact):
    found = opened(artifact, runtime="onnx,torch")
    session, library = reference_session(found.model, None, found.library)
    wanted = reference_quality(session, library, IRIS)
    predictions = session.run(IRIS.splits["test"].read(np.arange(IRIS.splits["test"].size)))
    truth = IRIS.splits["test"].read(np.arange(IRIS.splits["test"].size))
    (target,) = IRIS.targets
    assert wanted == pytest.approx((predictions[target].argmax(1) == truth[target]).mean())
    for system in found.systems:
        for size in (1, 7):
            got = system_quality(system.connect(), found.library, IRIS, samples_per_query=size)
            assert got == pytest.approx(wanted)


def test_a_file_with_one_output_is_scored_and_compared_with_a_reference(tmp_path):
    worse, better = affine(tmp_path / "w.onnx"), affine(tmp_path / "b.onnx", bias=1.0)
    found = opened(worse, task="iris")
    session, library = reference_session(found.model, tmp_path / "b.onnx", found.library)
    assert better.endswith("b.onnx")
    value = system_quality(found.systems[0].connect(), found.library, IRIS, samples_per_query=4)
    # the same number added to all classes changes no decision
    assert reference_quality(session, library, IRIS) == value


def test_a_share_of_quality_is_lost_the_same_way_up_and_down():
    up = compared(0.95, 1.0, IRIS, target=0.99, examples=10)
    assert (round(up.share, 6), up.met) == (0.95, False)
    diabetes = load_task("diabetes")
    assert compared(50.0, 55.0, diabetes, target=0.99, examples=10).met
    down = compared(55.0, 50.0, diabetes, target=0.91, examples=10)
    assert (round(down.share, 6), down.met) == (0.9, False)
    assert compared(0.5, None, IRIS, target=0.99, examples=1).met is None
    assert compared(0.0, 0.0, IRIS, target=0.99, examples=1).met


def test_a_tflite_file_runs_on_litert_and_as_an_onnx_model():
    pytest.importorskip("ai_edge_litert")
    try:
        path = fetch("mediapipe/selfie_segmentation.tflite")
    except AssetError as error:
        pytest.skip(f"the model cannot be had here: {error}")
    found = opened(path, runtime="litert,onnx")
    assert opened(path).systems[0].runtime == "litert"
    answers = [system.connect().answer(np.array([2, 3])) for system in found.systems]
    for ours, theirs in zip(answers[0].values(), answers[1].values(), strict=True):
        assert len(ours) == 2
        np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(ours).max())
    with pytest.raises(InputError, match="the batch lacks"):
        LiteRtSession(path).run({})
    with pytest.raises(InputError, match="not a model that LiteRT can run"):
        LiteRtSession(b"nothing")


def test_several_models_are_asked_the_same(tmp_path, artifact):
    paths = [affine(tmp_path / "a.onnx"), affine(tmp_path / "b.onnx", bias=2.0)]
    subjects = [parse((str(artifact),)), *(parse((path,)) for path in paths)]
    found = open_subjects(subjects, BenchSettings(), DataOptions(), seed=0)
    assert [system.name for system in found.systems] == [str(artifact), *paths]
    assert found.task is not None
    answers = [system.connect().answer(np.array([4, 1]))["y"] for system in found.systems[1:]]
    np.testing.assert_allclose(answers[0] + 2, answers[1], rtol=1e-5)
    wanted = [system.connect().answer(np.array([0]))["y"].shape for system in found.systems[1:]]
    assert wanted == [(1, 3), (1, 3)]


def test_models_of_unlike_tasks_are_not_compared(tmp_path, artifact):
    other = default_spec(WINE)
    folder = save_network(tmp_path / "artifact", WINE, other, build(other, 0).state_dict())
    subjects = [parse((str(artifact),)), parse((str(folder),))]
    with pytest.raises(InputError, match=r"answers iris, .* answers wine"):
        open_subjects(subjects, BenchSettings(), DataOptions(), seed=0)


def test_answers_of_the_wrong_shape_are_refused(tmp_path):
    found = opened(affine(tmp_path / "m.onnx"), task="iris")
    connection = found.systems[0].connect()
    connection.answer = lambda samples: {"y": np.zeros((1, 3), np.float32)}
    with pytest.raises(DataError, match="4 rows are wanted"):
        system_quality(connection, found.library, IRIS, samples_per_query=4)


def test_an_endless_task_gives_the_same_samples_for_the_same_seed():
    whole = IRIS.splits["test"].read(np.arange(IRIS.splits["test"].size))

    def draw(generator, count):
        return take(whole, generator.integers(0, len(whole["species"]), count))

    endless = replace(IRIS, splits={**IRIS.splits, "test": DrawnSource(draw)})
    one, other = from_task(endless, seed=3), from_task(endless, seed=3)
    assert one.size == 1024
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


def test_a_library_has_the_truth_of_its_samples():
    assert from_task(IRIS, seed=0, most=7).size == 7
    library = from_task(IRIS, seed=0)
    whole = IRIS.splits["test"].read(np.arange(library.size))
    (target,) = IRIS.targets
    np.testing.assert_array_equal(library.truth[target], whole[target])
    assert set(library.arrays) == set(IRIS.inputs)
