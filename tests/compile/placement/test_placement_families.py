import numpy as np
import pytest

from pomona.compile.placement.families import FAMILIES, operations
from pomona.compile.placement.families.tape import Tape
from pomona.compile.placement.op_names import HEAVY, OP_NAMES

SMALL = {
    "transformer-xl-8": 0.3,
    "wavenet-2x18": 0.3,
    "gnmt-4": 0.05,
    "gnmt-8": 0.05,
    "gnmt-2": 0.05,
    "rnnlm-2": 0.1,
    "rnnlm-4": 0.1,
    "rnnlm-8": 0.1,
}


@pytest.fixture(scope="module")
def graphs():
    return {name: family(size=SMALL.get(name, 1.0)) for name, family in FAMILIES.items()}


def weights(graph):
    return graph.output_bytes[graph.op == graph.op_names.index("parameter")].sum() / 4


def heavy_flops(graph):
    is_heavy = np.isin(graph.op, [graph.op_names.index(name) for name in HEAVY if name in graph.op_names])
    return graph.flops[is_heavy].sum()


def test_every_family_is_a_training_step(graphs):
    for name, graph in graphs.items():
        assert graph.name.startswith(name.split("-")[0])
        assert set(graph.op_names) <= set(OP_NAMES)
        updates = graph.op == graph.op_names.index("update")
        parameters = graph.op == graph.op_names.index("parameter")
        assert updates.sum() == parameters.sum()
        # an update stays with its weight, beside which the optimiser keeps two tensors of its size
        assert set(graph.groups[updates]) == set(np.flatnonzero(parameters))
        assert np.allclose(graph.resident_bytes[parameters], 2 * graph.output_bytes[parameters])


def test_only_what_ends_the_step_has_no_consumer(graphs):
    for graph in graphs.values():
        used = np.zeros(graph.num_nodes, bool)
        used[graph.edges[:, 0]] = True
        left = {graph.op_names[op] for op in graph.op[~used]}
        # the loss, or the sum of several, is what the step reports
        assert left <= {"update", "loss", "add"}
        assert (~used).sum() <= (graph.op == graph.op_names.index("update")).sum() + 1


def test_inception_has_torchvisions_weights_and_flops(graphs):
    # torchvision: 27,161,264 weights with the auxiliary head and 5.71 G multiply-adds an image without it
    graph = graphs["inception"]
    assert weights(graph) == 27_161_264
    forward = sum(
        flops
        for label, flops in zip(graph.labels, graph.flops, strict=True)
        if "gradient" not in label
        and "auxiliary" not in label
        and ("/convolution" in label or "/matmul" in label)
    )
    assert forward / 32 / 2 == pytest.approx(5.71e9, rel=0.01)


def test_amoebanet_has_the_gpipe_articles_weights(graphs):
    assert weights(graphs["amoebanet"]) == pytest.approx(82e6, rel=0.01)


def test_rnnlm_matches_the_closed_form(graphs):
    batch, width, vocabulary, steps = 64, 2048, 10_000, 4
    for layers in (2, 4, 8):
        graph = graphs[f"rnnlm-{layers}"]
        cell = 2 * batch * (2 * width) * (4 * width)
        output = 2 * batch * width * vocabulary
        # backward twice forward
        assert heavy_flops(graph) == 3 * steps * (layers * cell + output)
        lstm = layers * (2 * width * 4 * width + 4 * width)
        assert weights(graph) == lstm + 2 * vocabulary * width + vocabulary


def test_gnmt_of_eight_layers_is_as_large_as_the_article_says():
    family = FAMILIES["gnmt-8"]
    few, more = family(size=0.05).num_nodes, family(size=0.1).num_nodes
    # 80 steps in all, of which these are 4 and 8
    steps = (more - few) / 4
    assert few + 76 * steps == pytest.approx(78_533, rel=0.001)


def test_size_scales_the_number_of_nodes(graphs):
    for name in ("transformer-xl-4", "inception", "amoebanet", "wavenet-4x36"):
        assert FAMILIES[name](size=0.3).num_nodes < 0.8 * graphs[name].num_nodes


def test_the_batch_scales_the_work_but_not_the_graph(graphs):
    small, large = graphs["inception"], graphs["inception-64"]
    assert np.array_equal(small.edges, large.edges)
    assert heavy_flops(large) == 2 * heavy_flops(small)


def test_backward_of_a_tiny_network_is_as_counted_by_hand():
    tape = Tape("tiny")
    x = tape.input("x", (2, 3))
    weight = tape.parameter("weight", (3, 4))
    hidden = operations.activation(tape, "relu", operations.matmul(tape, x, weight))
    loss = operations.cross_entropy(tape, hidden, tape.input("y", (2,)))
    graph = tape.training_graph(loss)
    ops = [graph.op_names[op] for op in graph.op]
    assert ops == [
        *("input", "parameter", "matmul", "relu", "input", "loss"),
        *("fill", "loss_backward", "relu_backward", "matmul", "update"),
    ]
    # x wants no gradient, so that there is one product backward
    assert graph.flops[[2, 9]].tolist() == [48, 48]
    assert graph.edges.tolist() == [
        *([0, 2], [0, 9], [1, 2], [1, 10], [2, 3], [3, 5], [3, 7], [3, 8]),
        *([4, 5], [4, 7], [6, 7], [7, 8], [8, 9], [9, 10]),
    ]


def test_gradients_that_meet_are_added_and_stopped_ones_are_not():
    tape = Tape("meeting")
    weight = tape.parameter("weight", (4, 4))
    a = operations.matmul(tape, tape.input("x", (2, 4)), weight)
    b = operations.add(tape, operations.matmul(tape, a, weight), a.stopped())
    graph = tape.training_graph(operations.cross_entropy(tape, b, tape.input("y", (2,))))
    added = [label for label in graph.labels if "accumulate" in label]
    assert len(added) == 1
