"""Models cut in two: the halves, one after the other, are the whole."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from pomona.foundation.errors import AssetError
from pomona.perceive.refine.split import custom_operations, read_model, sub_model

CUTS = (40, 80, 120)


def run(content: bytes, values: list[np.ndarray]) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for entry, value in zip(interpreter.get_input_details(), values, strict=True):
        interpreter.set_tensor(entry["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(entry["index"]) for entry in interpreter.get_output_details()]


@pytest.mark.parametrize("position", CUTS)
def test_two_halves_say_what_the_whole_says(asset, position):
    path = asset("mediapipe/face_landmark.tflite")
    model = read_model(path)
    graph = model.subgraphs[0]
    edge = crossing(graph, position)
    first = sub_model(model, graph.inputs, edge)
    second = sub_model(model, edge, graph.outputs)
    pixels = np.random.default_rng(position).random((1, 192, 192, 3), np.float32)
    whole = run(path.read_bytes(), [pixels])
    halves = run(second, run(first, [pixels]))
    for ours, theirs in zip(halves, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_half_carries_only_its_own_weights(asset):
    path = asset("mediapipe/face_landmark.tflite")
    model = read_model(path)
    graph = model.subgraphs[0]
    edge = crossing(graph, CUTS[1])
    halves = [sub_model(model, graph.inputs, edge), sub_model(model, edge, graph.outputs)]
    assert all(len(half) < path.stat().st_size for half in halves)
    assert sum(map(len, halves)) < 1.1 * path.stat().st_size


def test_custom_operations_come_with_their_options(asset):
    model = read_model(asset("mediapipe/face_landmark_with_attention.tflite"))
    found = custom_operations(model)
    names = [operation.name for operation in found]
    assert names == [
        *["Landmarks2TransformMatrix"] * 3,
        *["TransformTensorBilinear"] * 3,
        *["TransformLandmarks"] * 5,
    ]
    assert found[0].options["left_rotation_idx"] == 61
    assert found[3].options == {"output_height": 16, "output_width": 16}
    assert custom_operations(read_model(asset("mediapipe/face_landmark.tflite"))) == []


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "no.tflite"
    path.write_bytes(b"no model at all")
    with pytest.raises(AssetError, match=r"no\.tflite is not a TFLite model"):
        read_model(path)


def crossing(graph, position: int) -> list[int]:
    """The tensors that change with the picture, are made before operation `position` and taken behind it."""
    varying = set(map(int, graph.inputs))
    for operator in graph.operators[:position]:
        if varying.intersection(map(int, operator.inputs)):
            varying.update(map(int, operator.outputs))
    taken = {int(number) for operator in graph.operators[position:] for number in operator.inputs}
    return sorted(varying & (taken | set(map(int, graph.outputs))))
