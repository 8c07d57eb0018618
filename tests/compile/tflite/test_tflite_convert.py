"""A TFLite model as an ONNX model says what LiteRT says; what cannot be read is refused in one line."""

import numpy as np
import onnxruntime
import pytest

from pomona.compile.pruning.command import prune
from pomona.compile.tflite.convert import tflite_as_onnx
from pomona.foundation.assets import fetch
from pomona.foundation.errors import ArtifactError, AssetError

MODELS = (
    "hand_landmark_lite", "selfie_segmentation", "face_landmark", "palm_detection_lite", "iris_landmark",
    "face_detection_full_range_sparse",
)  # fmt: skip


def model(name: str):
    try:
        return fetch(f"mediapipe/{name}.tflite")
    except AssetError as error:
        pytest.skip(f"{name} cannot be had here: {error}")


def picture(shape: tuple[int, ...]) -> np.ndarray:
    """Soft blobs: noise drives some heads to where every number is tiny."""
    rows, columns = np.meshgrid(np.linspace(0, 3, shape[1]), np.linspace(0, 2, shape[2]), indexing="ij")
    phases = np.arange(shape[3])
    return (0.5 + 0.4 * np.sin(rows[..., None] * 2 + columns[..., None] + phases))[None].astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_the_converted_model_says_what_litert_says(name):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = model(name)
    session = onnxruntime.InferenceSession(tflite_as_onnx(path), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    x = picture(tuple(entry.shape))
    theirs = interpreter.Interpreter(str(path), num_threads=1)
    theirs.allocate_tensors()
    theirs.set_tensor(theirs.get_input_details()[0]["index"], x)
    theirs.invoke()
    for output, got in zip(theirs.get_output_details(), session.run(None, {entry.name: x}), strict=True):
        wanted = theirs.get_tensor(output["index"])
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, atol=2e-4 * max(float(np.abs(wanted).max()), 1e-2))


def test_a_tflite_model_is_pruned_into_an_onnx_file(tmp_path):
    path = model("face_detection_short_range")
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", x=generator.random((4, 128, 128, 3), np.float32))
    found = prune(path, sparsity="0.5", calibration=tmp_path / "x.npz", out=tmp_path / "out", quiet=True)
    for row in found["layers"]:
        assert row["nonzero"] == (round(0.5 * row["weights"]) if row["pruned"] else row["weights"])
    assert sum(row["pruned"] for row in found["layers"]) >= 16
    assert 0 < found["errors"]["classificators"]["relative"] < 1


def test_models_that_cannot_be_read_are_refused_in_one_line(tmp_path):
    content = model("hand_landmark_lite").read_bytes()
    path = tmp_path / "model.tflite"
    for damaged in (b"", b"nothing", content[:100], content[: len(content) // 2], b"\0" * 64):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError) as caught:
            tflite_as_onnx(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ArtifactError, match="Landmarks2TransformMatrix"):
        tflite_as_onnx(model("face_landmark_with_attention"))
