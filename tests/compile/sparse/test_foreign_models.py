"""Models that others made are read whole and give what ONNX Runtime gives."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_samples import by_steps, network_of, random

from pomona.compile.sparse.network import Network
from pomona.export.sessions.onnx import OnnxSession

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
"""Well-known networks that come with the package onnx, their weights all alike."""


def with_random_weights(name: str) -> bytes:
    """The network with random weights, small enough for its values to stay finite."""
    model = onnx.load(LIGHT / f"light_{name}.onnx")
    shapes = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "ConstantOfShape"]:
        shape = tuple(int(size) for size in shapes[node.input[0]])
        fan = max(1, int(np.prod(shape[1:])))
        weights = random(*shape, seed=len(model.graph.initializer)) / np.float32(np.sqrt(fan))
        weights = np.abs(weights) + np.float32(0.5) if len(shape) == 1 else weights
        model.graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
        model.graph.node.remove(node)
    model.ir_version = 8  # older ones list every weight as an input
    return model.SerializeToString()


def assert_alike(content: bytes, network: Network) -> None:
    inputs = {name: random(*value.shape) for name, value in network.inputs.items()}
    got, wanted = by_steps(network, inputs), OnnxSession(content).run(inputs)
    for name, array in wanted.items():
        assert array.std() > 1e-6
        np.testing.assert_allclose(got[name], array, rtol=1e-3, atol=1e-4 * np.abs(array).max())


@pytest.mark.parametrize(
    ("name", "num_steps"),
    [
        ("shufflenet", 120),
        ("squeezenet", 40),
        pytest.param("resnet50", 65, marks=pytest.mark.slow),
        pytest.param("inception_v2", 100, marks=pytest.mark.slow),
        pytest.param("densenet121", 250, marks=pytest.mark.slow),
    ],
)
def test_networks_of_the_onnx_package_are_read_whole(name, num_steps):
    content = with_random_weights(name)
    network = network_of(content)
    assert not network.externals
    assert len(network.steps) < num_steps
    assert_alike(content, network)


def test_an_operator_that_is_missing_is_the_only_thing_left_out():
    network = network_of(with_random_weights("inception_v1"))
    assert [external.node.op for external in network.externals] == ["LRN", "LRN"]
