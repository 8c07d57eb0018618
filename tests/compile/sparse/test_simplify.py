"""Simplified networks have fewer steps and compute the same."""

from collections import Counter

import numpy as np
import pytest
from onnx_samples import assert_reads, by_steps, model, node, random
from plan_reference import run_plan

from pomona.compile.sparse.network import plan_of
from pomona.compile.sparse.plan import Step
from pomona.compile.sparse.reading import read_graph, read_onnx
from pomona.compile.sparse.simplify import simplify
from pomona.export.sessions.onnx import OnnxSession

IMAGE = (1, 4, 6, 5)
X = {"x": random(*IMAGE)}


def steps_of(nodes, weights, inputs=None, **others) -> list[Step]:
    """The steps of a model that were found to compute what ONNX Runtime computes."""
    inputs = inputs or {"x": IMAGE}
    arrays = {name: random(*shape, seed=index) for index, (name, shape) in enumerate(inputs.items())}
    network = assert_reads(model(nodes, inputs, weights, **others), arrays)
    return [step for step in network.steps if isinstance(step, Step) and step.op != "reshape"]


def norm(channels: int, prefix: str = "") -> dict[str, np.ndarray]:
    """The weights of a batch normalisation."""
    values = [random(channels, seed=seed) for seed in range(4)]
    values[3] = values[3] ** 2 + 0.2
    return {prefix + name: value for name, value in zip("smvq", [values[0], values[1], values[2], values[3]])}  # noqa: B905


BATCH_NORM = "s m v q"


def test_normalisation_and_activation_go_into_every_kind_of_layer():
    layers = {
        "pointwise": node("Conv", "x w", "a"),
        "convolution": node("Conv", "x k", "a", pads=[1, 1, 1, 1]),
        "depthwise": node("Conv", "x d", "a", group=4),
        "transposed_convolution": node("ConvTranspose", "x t", "a", strides=[2, 2], group=2),
    }
    weights = {
        "w": random(4, 4, 1, 1),
        "k": random(4, 4, 3, 3),
        "d": random(4, 1, 3, 3),
        "t": random(4, 2, 2, 2),
        **norm(4),
    }
    for op, layer in layers.items():
        after = [node("BatchNormalization", f"a {BATCH_NORM}", "b"), node("Relu", "b", "y")]
        (step,) = steps_of(
            [layer, *after], {n: w for n, w in weights.items() if n in " ".join(layer.input) + BATCH_NORM}
        )
        assert (step.op, step.activation) == (op, "clip")


def test_normalisation_goes_into_the_pointwise_convolution_after_it():
    nodes = [node("BatchNormalization", f"x {BATCH_NORM}", "a"), node("Conv", "a w", "y")]
    (step,) = steps_of(nodes, {**norm(4), "w": random(3, 4, 1, 1)})
    assert step.op == "pointwise"


def test_group_normalisation_as_exporters_write_it_is_one_step():
    nodes = [
        node("Reshape", "x groups", "a"),
        node("InstanceNormalization", "a ones zeros", "b"),
        node("Reshape", "b whole", "c"),
        node("Mul", "c scale", "d"),
        node("Add", "d shift", "e"),
        node("Relu", "e", "y"),
    ]
    weights = {
        "groups": np.array([0, 2, -1]),
        "whole": np.array(IMAGE),
        "ones": np.ones(2),
        "zeros": np.zeros(2),
        "scale": random(4, 1, 1),
        "shift": random(4, 1, 1),
    }
    (step,) = steps_of(nodes, weights)
    assert (step.op, step.settings["groups"], step.activation) == ("group_normalisation", 2, "clip")


def test_a_sum_and_its_activation_go_into_the_last_layer_before_it():
    nodes = [
        node("Conv", "x w", "a"),
        node("Conv", "a v", "b"),
        node("Add", "x b", "c"),
        node("Relu", "c", "y"),
    ]
    first, second = steps_of(nodes, {"w": random(4, 4, 1, 1), "v": random(4, 4, 1, 1, seed=1)})
    assert (first.residual, second.activation) == (None, "clip")
    assert second.residual == first.inputs[0]


def test_a_sum_of_what_is_not_known_yet_goes_into_the_later_layer():
    nodes = [node("Conv", "x w", "a"), node("Conv", "x v", "b"), node("Add", "a b", "y")]
    first, second = steps_of(nodes, {"w": random(4, 4, 1, 1), "v": random(4, 4, 1, 1, seed=1)})
    assert second.residual == first.output


def test_what_others_read_is_left_as_it_is():
    nodes = [node("Conv", "x w", "a"), node("Relu", "a", "y")]
    weights = {"w": random(4, 4, 1, 1)}
    assert len(steps_of(nodes, weights)) == 1
    assert len(steps_of(nodes, weights, outputs=("y", "a"))) == 2


def test_squeeze_and_excite_scales_what_the_next_convolution_reads():
    nodes = [
        node("Relu", "x", "a"),
        node("GlobalAveragePool", "a", "b"),
        node("Conv", "b w", "c"),
        node("Relu", "c", "d"),
        node("Conv", "d v", "e"),
        node("Sigmoid", "e", "f"),
        node("Mul", "a f", "g"),
        node("Conv", "g u", "y"),
    ]
    weights = {"w": random(2, 4, 1, 1), "v": random(4, 2, 1, 1), "u": random(3, 4, 1, 1)}
    steps = steps_of(nodes, weights)
    ops = ["activation", "global_average_pool", "linear", "linear", "pointwise"]
    assert [step.op for step in steps] == ops
    assert steps[-1].scale is not None


GATES = {
    "silu": [node("Sigmoid", "x", "a"), node("Mul", "x a", "y")],
    "hard_swish": [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "b"),
        node("Mul", "x b", "c"),
        node("Div", "c six", "y"),
    ],
    "hard_swish, divided first": [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "b"),
        node("Div", "b six", "c"),
        node("Mul", "x c", "y"),
    ],
    "hard_sigmoid": [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "b"),
        node("Div", "b six", "y"),
    ],
}


@pytest.mark.parametrize("name", GATES)
def test_activations_are_put_together_from_their_parts(name):
    numbers = {"three": 3.0, "zero": 0.0, "six": 6.0} if name != "silu" else {}
    weights = {key: np.float32(number) for key, number in numbers.items()}
    steps = steps_of(GATES[name], weights)
    assert [step.activation for step in steps] == [name.split(",")[0]]


def test_padding_goes_into_the_convolution_after_it():
    nodes = [node("Pad", "x p", "a"), node("Conv", "a w", "y", strides=[2, 2])]
    (step,) = steps_of(nodes, {"p": np.array([0, 0, 0, 0, 0, 0, 1, 1]), "w": random(3, 4, 3, 3)})
    assert step.settings["padding"] == (0, 0, 1, 1)


def test_transpositions_that_undo_each_other_vanish():
    nodes = [
        node("Transpose", "x", "a", perm=[0, 2, 3, 1]),
        node("Sigmoid", "a", "b"),
        node("Transpose", "x", "c", perm=[0, 2, 3, 1]),
        node("Transpose", "c", "d", perm=[0, 3, 1, 2]),
        node("Relu", "d", "y"),
    ]
    (step,) = steps_of(nodes, {})
    assert step.op == "activation"


def random_nodes(generator: np.random.Generator, count: int):
    """A chain with branches of random nodes that keep the shape, and their weights."""
    weights = {**norm(4), "w": random(4, 4, 1, 1), "k": random(4, 4, 3, 3) / 3, "d": random(4, 1, 3, 3) / 2}
    weights |= {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6), "c": random(4, 1, 1)}
    kinds = [
        ("Conv {} w", {}),
        ("Conv {} k", {"pads": [1, 1, 1, 1]}),
        ("Conv {} d", {"pads": [1, 1, 1, 1], "group": 4}),
        (f"BatchNormalization {{}} {BATCH_NORM}", {}),
        ("Clip {} zero six", {}),
        ("Sigmoid {}", {}),
        ("Add {} three", {}),
        ("Mul {} c", {}),
        ("Add {} {}", {}),
        ("Mul {} {}", {}),
        ("PRelu {} c", {}),
    ]
    names, nodes = ["x"], []
    for index in range(count):
        text, attributes = kinds[generator.integers(len(kinds))]
        chosen = [names[-1 - min(len(names) - 1, int(generator.geometric(0.7)) - 1)] for _ in range(2)]
        op, _, inputs = text.format(*chosen).partition(" ")
        names.append(f"t{index}")
        nodes.append(node(op, inputs, names[-1], **attributes))
    used = {name for each in nodes for name in each.input}
    return nodes, {name: array for name, array in weights.items() if name in used}, names


@pytest.mark.parametrize("seed", range(25))
def test_random_networks_compute_the_same(seed):
    generator = np.random.default_rng(seed)
    nodes, weights, names = random_nodes(generator, 14)
    outputs = (names[-1], names[int(generator.integers(1, len(names) - 1))])
    content = model(nodes, {"x": IMAGE}, weights, outputs=outputs)
    whole = read_onnx(read_graph(content))
    network = simplify(whole)
    assert not network.externals
    wanted = OnnxSession(content).run(X)
    plan = plan_of(whole)
    assert len(plan_of(network).steps) <= len(plan.steps) + Counter(s.op for s in plan.steps)["pointwise"]
    for name, array in by_steps(network, X).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-3, atol=1e-4 * np.abs(wanted[name]).max())
    exact = run_plan(plan, X["x"][0])
    for array, name in zip(exact, wanted, strict=True):
        np.testing.assert_allclose(
            array[None], wanted[name], rtol=1e-3, atol=1e-4 * np.abs(wanted[name]).max()
        )
