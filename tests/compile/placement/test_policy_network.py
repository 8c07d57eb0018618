"""The policy's network: what it may depend on, what it must not, and its parts against plain formulas."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pomona.compile.placement.graph import Graph, ordered
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.policy.attention import RecurrentAttention
from pomona.compile.placement.policy.features import features_of
from pomona.compile.placement.policy.levels import levels_of
from pomona.compile.placement.policy.network import GraphOptimizer, draw, inputs_of, most_probable, taken
from pomona.compile.placement.policy.sage import neighbour_maximum
from pomona.compile.placement.policy.settings import NetworkSettings
from pomona.compile.placement.policy.units import units_of
from pomona.compile.placement.policy.weights import new_network
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.settings import DECISIONS

SMALL = NetworkSettings(width=16, heads=2, segment=64)


def random_graph(num_nodes: int, seed: int, order: np.ndarray | None = None) -> Graph:
    """A layered graph whose nodes are listed in `order`, which must keep sources first."""
    generator = np.random.default_rng(seed)
    edges = [(int(generator.integers(max(0, i - 8), i)), i) for i in range(1, num_nodes) for _ in range(2)]
    flops, traffic, output = generator.lognormal(20, 1, (3, num_nodes)) / np.array([[1.0], [50.0], [80.0]])
    order = np.arange(num_nodes) if order is None else order
    place = np.argsort(order)
    return ordered(
        "random",
        [("matmul", "add", "relu")[i % 3] for i in order],
        [f"n{i}" for i in order],
        flops=flops[order],
        traffic_bytes=traffic[order],
        output_bytes=output[order],
        edges=[(int(place[a]), int(place[b])) for a, b in edges],
    )


def test_units_are_whole_parts_of_coarser_units_and_of_the_base():
    problem = problem_of(random_graph(400, 0), pcie_gpus(3))
    base = np.random.default_rng(1).integers(3, size=400).astype(np.int32)
    levels = levels_of(problem)
    fine, coarse = (units_of(problem, levels, count, base) for count in (256, 64))
    assert (fine.count, coarse.count) == (256, 64)
    for parts, whole in ((fine.of_node, coarse.of_node), (coarse.of_node, base)):
        assert len(np.unique(np.stack([parts, whole]), axis=1).T) == parts.max() + 1


def test_longest_paths_equal_a_plain_recursion():
    problem = problem_of(random_graph(60, 2), pcie_gpus(2))
    levels = levels_of(problem)
    bottom = np.zeros(60)
    for node in range(59, -1, -1):
        after = [bottom[t] + 0.5 * levels.output_us[node] for t in problem.consumers_of.of(node)]
        bottom[node] = levels.run_us[node] + max(after, default=0.0)
    assert np.allclose(levels.bottom_us, bottom)


def test_numbering_the_nodes_otherwise_changes_nothing():
    """Any topological numbering gives each node the same probabilities, as long as one segment holds all."""
    generator = np.random.default_rng(3)
    first = random_graph(50, 4)
    order, ready = [], {0}
    while ready:
        node = int(generator.choice(sorted(ready)))
        order.append(node)
        ready.remove(node)
        done = set(order)
        sources: dict[int, set[int]] = {}
        for a, b in first.edges.tolist():
            sources.setdefault(b, set()).add(a)
        ready |= {b for b, some in sources.items() if some <= done and b not in done}
    second = random_graph(50, 4, np.array(order))
    assert second.labels != first.labels
    network = new_network(SMALL, 0).double()
    rows = []
    for graph in (first, second):
        problem = problem_of(graph, pcie_gpus(3))
        base = np.array([int(label[1:]) % 3 for label in graph.labels], np.int32)
        features = features_of(problem, 0, base)
        inputs = inputs_of(features)
        as_double = {
            name: value.double() if value.is_floating_point() else value
            for name, value in vars(inputs).items()
        }
        log_probs = network(replace(inputs, **as_double), DECISIONS)
        by_label = np.argsort([int(label[1:]) for label in graph.labels])
        rows.append([part[features.unit_of_node[by_label]] for part in log_probs])
    for one, other in zip(*rows, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def layer_and_rows(segment: int, count: int) -> tuple[RecurrentAttention, torch.Tensor, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = RecurrentAttention(8, 2, segment).double()
    rows = torch.randn(1, count, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return layer, rows, torch.ones(8, dtype=torch.float64)


def plain_attention(layer: RecurrentAttention, rows: torch.Tensor, segment: int) -> torch.Tensor:
    """The same block by loops over rows and heads."""
    x = layer.attention_norm(rows[0])
    query = layer.query(x)
    key, value = layer.key_value(x).chunk(2, dim=1)
    mixed = torch.zeros_like(x)
    for row in range(len(x)):
        begin = max((row // segment - 1) * segment, 0)
        seen = slice(begin, min((row // segment + 1) * segment, len(x)))
        for head in range(layer.heads):
            part = slice(head * 4, head * 4 + 4)
            weight = (key[seen, part] @ query[row, part] / 2.0).softmax(dim=0)
            mixed[row, part] = weight @ value[seen, part]
    y = rows[0] + layer.out(mixed)
    return y + layer.narrow(torch.nn.functional.gelu(layer.widen(layer.mix_norm(y))))


@pytest.mark.parametrize(("segment", "count"), [(16, 9), (9, 9), (4, 11), (4, 12)])
def test_attention_sees_its_segment_and_the_one_before(segment, count):
    """With one segment for all rows that is full attention."""
    layer, rows, ones = layer_and_rows(segment, count)
    assert torch.allclose(layer(rows, ones)[0], plain_attention(layer, rows, segment), atol=1e-12)


def test_no_gradient_flows_into_the_segment_before():
    layer, rows, ones = layer_and_rows(4, 8)
    rows.requires_grad_()
    layer(rows, ones)[0, 4:].sum().backward()
    assert rows.grad is not None
    assert (rows.grad[0, :4] == 0).all()
    assert (rows.grad[0, 4:] != 0).any()


def test_neighbour_maximum_is_the_largest_of_the_neighbours_or_nothing():
    values = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))
    speaker, hearer = torch.tensor([0, 1, 2, 0]), torch.tensor([3, 3, 4, 4])
    heard = neighbour_maximum(values, speaker, hearer)
    assert (heard[:3] == 0).all()
    assert torch.equal(heard[3], values[:2].amax(dim=0))
    assert torch.equal(heard[4], torch.maximum(values[0], values[2]))


def test_a_masked_device_is_never_drawn_and_draws_follow_the_probabilities():
    problem = problem_of(random_graph(30, 5), pcie_gpus(4))
    features = features_of(problem, 0, np.zeros(30, np.int32))
    can_hold = features.can_hold.copy()
    can_hold[:, 2] = False
    log_probs = new_network(SMALL, 0)(inputs_of(replace(features, can_hold=can_hold)), DECISIONS)
    actions = draw(log_probs, 4000, torch.Generator().manual_seed(0))
    assert (actions[:, 0] != 2).all()
    share = torch.stack([(actions[:, 0] == device).float().mean(dim=0) for device in range(4)], dim=1)
    assert torch.allclose(share, log_probs[0].exp(), atol=0.04)
    assert torch.allclose(taken(log_probs, most_probable(log_probs))[0, 0], log_probs[0].amax(dim=1))


@pytest.mark.parametrize("num_devices", [1, 2, 8, 11])
def test_one_network_serves_any_number_of_devices(num_devices):
    problem = problem_of(random_graph(40, 6), pcie_gpus(num_devices))
    inputs = inputs_of(features_of(problem, 0, np.zeros(40, np.int32)))
    placement, scheduling, fusion = new_network(SMALL, 0)(inputs, DECISIONS)
    assert placement.shape == (40, num_devices)
    assert scheduling.shape == fusion.shape == (40, SMALL.num_levels)


def test_later_tasks_see_what_earlier_ones_decide():
    problem = problem_of(random_graph(40, 7), pcie_gpus(2))
    inputs = inputs_of(features_of(problem, 0, np.zeros(40, np.int32)))
    network: GraphOptimizer = new_network(SMALL, 0)
    before = network(inputs, DECISIONS)[1]
    with torch.no_grad():
        network.stay.sub_(6.0)
    assert (network(inputs, DECISIONS)[1] - before).abs().max() > 1e-3
