"""Models that are broken in any way end in one line, never in a crash."""

import random as plain_random
from collections.abc import Callable, Iterable

import numpy as np
import onnx
import pytest
from onnx_samples import model, node, random

from pomona.compile.sparse.parts import split
from pomona.compile.sparse.reading import read_graph, read_onnx
from pomona.compile.sparse.session import SparseSession
from pomona.compile.sparse.simplify import simplify
from pomona.foundation.errors import ArtifactError, PomonaError

INPUT = {"x": random(1, 3, 8, 8)}


def network() -> bytes:
    """A small network with everything that usual ones have."""
    nodes = [
        node("Conv", "x k", "a", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "a s m v q", "b"),
        node("Relu", "b", "c"),
        node("Conv", "c d", "e", group=8, pads=[1, 1, 1, 1]),
        node("Clip", "e low high", "f"),
        node("Conv", "f w", "g"),
        node("Add", "g c", "h"),
        node("GlobalAveragePool", "h", "i"),
        node("Conv", "i w", "j"),
        node("Sigmoid", "j", "l"),
        node("Mul", "h l", "n"),
        node("Resize", "n _ scales", "o", mode="linear"),
        node("Concat", "o o", "p", axis=1),
        node("MaxPool", "p", "r", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "r", "t"),
        node("Gemm", "t u", "z"),
        node("Softmax", "z", "y", axis=1),
    ]
    pruned = random(8, 8, 1, 1) * (np.arange(64).reshape(8, 8, 1, 1) % 3 == 0)
    weights = {
        "k": random(8, 3, 3, 3),
        **{name: random(8, seed=seed) for seed, name in enumerate("smv")},
        "q": random(8) ** 2 + 0.1,
        "d": random(8, 1, 3, 3),
        "low": np.float32(0),
        "high": np.float32(6),
        "w": pruned,
        "scales": np.array([1, 1, 2, 2], np.float32),
        "u": random(256, 5),
    }
    return model(nodes, {"x": ["batch", 3, 8, 8]}, weights)


WHOLE = network()
OPERATORS = ["Nothing", "Loop", "Pad", "Reshape", "Split", "Slice", "Transpose", "ConvTranspose", "PRelu"]
OPERATORS += ["AveragePool", "ReduceMean", "Gather", "Squeeze", "Expand", "InstanceNormalization"]
SIZES = [-1, 0, 1, 2, 3, 7, 64, 1 << 20, 1 << 31, -(1 << 40), 1 << 62]


def with_other_bytes(chance: plain_random.Random) -> bytes:
    """The model with some bytes changed, and sometimes cut off."""
    content = bytearray(WHOLE)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content[: chance.randrange(len(content))] if chance.random() < 0.2 else content)


def with_other_nodes(chance: plain_random.Random) -> bytes:
    """The model with some nodes, weights and shapes changed."""
    changed = onnx.load_from_string(WHOLE)
    for _ in range(chance.choice([1, 2, 3])):
        _change(changed.graph, chance.choice(list(changed.graph.node)), chance)
    return changed.SerializeToString()


def _change(graph, changed, chance: plain_random.Random) -> None:
    names = [name for each in graph.node for name in each.output] + ["", "x"]
    match chance.randrange(8):
        case 0:
            graph.node.remove(changed)
        case 1:
            graph.initializer.remove(chance.choice(graph.initializer))
        case 2 if changed.input:
            changed.input[chance.randrange(len(changed.input))] = chance.choice(names)
        case 3:
            changed.op_type = chance.choice([each.op_type for each in graph.node] + OPERATORS)
        case 4 if changed.attribute:
            attribute = chance.choice(changed.attribute)
            attribute.i = chance.choice(SIZES)
            attribute.ints[:] = [chance.choice(SIZES) for _ in range(chance.choice([0, 1, 2, 4]))]
        case 5:
            weights = chance.choice(graph.initializer)
            weights.dims[:] = [chance.choice([0, 1, 3, 8, 1 << 33]) for _ in weights.dims]
        case 6:
            graph.input[0].type.tensor_type.shape.dim[chance.randrange(4)].dim_value = chance.choice(SIZES)
        case _:
            changed.output[0] = chance.choice(names)


def refusals(changed: Iterable[bytes], use: Callable[[bytes], object]) -> list[str]:
    """What is said of the models that cannot be used; anything but a PomonaError passes through."""
    said = []
    for content in changed:
        try:
            use(content)
        except PomonaError as error:
            said.append(str(error))
    return said


def read(content: bytes) -> None:
    graph = read_graph(content)
    split(simplify(read_onnx(graph)), graph)


def run(content: bytes) -> None:
    SparseSession(content, runtime="onnx").run(INPUT)


CHANGES = [with_other_bytes, with_other_nodes]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_models_are_read_or_refused_in_one_line(change):
    said = refusals((change(plain_random.Random(seed)) for seed in range(300)), read)
    assert 50 < len(said) < 300
    assert not any("\n" in line for line in said)


@pytest.mark.parametrize("change", CHANGES)
def test_changed_models_run_or_are_refused_in_one_line(change):
    said = refusals((change(plain_random.Random(seed)) for seed in range(1000, 1040)), run)
    assert not any("\n" in line for line in said)


def test_the_unchanged_model_runs_natively():
    session = SparseSession(WHOLE, runtime="sparse")
    wanted = SparseSession(WHOLE, runtime="onnx").run(INPUT)
    np.testing.assert_allclose(session.run(INPUT)["y"], wanted["y"], rtol=1e-4, atol=1e-6)


def test_what_is_wrong_is_named():
    circle = [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]
    cases = {
        "cut off": WHOLE[: len(WHOLE) // 2],
        "in a circle": model(circle, {"x": (1, 2)}),
        "reads 'z', which nobody makes": model([node("Relu", "z", "y")], {"x": (1, 2)}),
        "no node makes the output 'y'": model([node("Relu", "x", "z")], {"x": (1, 2)}),
        "opset 3": model([node("Relu", "x", "y")], {"x": (1, 2)}, opset=3),
        "no nodes": b"",
    }
    for message, content in cases.items():
        with pytest.raises(ArtifactError, match=message):
            SparseSession(content)
