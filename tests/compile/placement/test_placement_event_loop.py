"""The compiled loop against the same rules in plain Python, on random graphs, machines and plans."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_step import plain_step

from pomona.compile.placement.graph import ordered
from pomona.compile.placement.machine.machine import Device, Link, Machine
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.errors import InputError

KINDS = ("matmul", "add", "view", "parameter")
TUPLE = 1


def random_graph(generator, num_nodes, whole=False):
    kind = generator.choice(4, num_nodes, p=[0.2, 0.45, 0.2, 0.15])
    sizes = generator.integers(1, 9, num_nodes) * 1000.0
    if not whole:
        sizes = np.round(sizes * generator.uniform(0.5, 1.5, num_nodes))
    pairs = [(s, t) for t in range(num_nodes) for s in range(t) if kind[t] != 3 and generator.random() < 0.35]
    groups = np.full(num_nodes, -1)
    for node in range(num_nodes - 1):
        # an operation with two outputs: it has none itself, the next nodes are its items
        if kind[node] == TUPLE and generator.random() < 0.3:
            kind[node + 1 : node + 3], sizes[node], groups[node : node + 3] = 2, 0.0, node
            pairs = [(s, t) for s, t in pairs if t not in (node + 1, node + 2)]
            pairs += [(node, t) for t in (node + 1, node + 2) if t < num_nodes]
    return ordered(
        "random",
        [KINDS[k] for k in kind],
        [f"n{i}" for i in range(num_nodes)],
        flops=np.where(kind == 0, sizes * 20, np.where(kind == 1, sizes * 0.3, 0.0)),
        traffic_bytes=np.where(kind < 2, sizes * 3, 0.0),
        output_bytes=sizes,
        resident_bytes=np.where(kind == 3, sizes * 2, 0.0),
        is_stored=kind == 3,
        edges=pairs,
        groups=groups,
    )


def random_machine(generator, num_devices, mode):
    devices = tuple(
        Device(f"d{i}", 1e9 * generator.uniform(1, 3), 4e8, 3e4, 5.0, {"matmul": 0.5})
        for i in range(num_devices)
    )
    num_links = int(generator.integers(1, 4))
    links = tuple(
        Link(f"l{i}", 1e9, 3.0, mode if i else ("shared" if mode == "shared" else "serial"))
        for i in range(num_links)
    )
    routes = tuple(
        tuple(-1 if a == b else int(generator.integers(num_links)) for b in range(num_devices))
        for a in range(num_devices)
    )
    return Machine("random", devices, links, routes)


def random_clusters(generator, problem, device):
    # neighbours on one device, merged where the order of clusters stays without a cycle: runs of the program
    num_nodes = problem.graph.num_nodes
    cluster = np.arange(num_nodes)
    for node in range(1, num_nodes):
        same = device[node] == device[node - 1]
        stored = problem.graph.is_stored[node] or problem.graph.is_stored[node - 1]
        if same and not stored and generator.random() < 0.5:
            cluster[node] = cluster[node - 1]
    return cluster


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(1, 12), st.integers(1, 3), st.sampled_from(["serial", "shared"]))
def test_every_plan_takes_what_the_rules_in_plain_python_say(seed, num_nodes, num_devices, mode):
    generator = np.random.default_rng(seed)
    problem = problem_of(
        random_graph(generator, num_nodes, mode == "serial"), random_machine(generator, num_devices, mode)
    )
    device = generator.integers(0, num_devices, num_nodes)[problem.graph.groups]
    priority = generator.integers(0, 5, num_nodes).astype(float)
    for cluster in (np.arange(num_nodes), random_clusters(generator, problem, device)):
        step_us, _, _, peak_bytes = plain_step(problem, device, priority, cluster)
        scores = evaluate(problem, device[None], priority[None], cluster[None])
        np.testing.assert_allclose(scores.step_us[0], step_us, rtol=1e-12)
        np.testing.assert_allclose(scores.peak_bytes[0], peak_bytes, rtol=1e-12)
        assert scores.is_valid[0] == all(np.array(peak_bytes) <= 3e4)


def test_a_batch_on_threads_equals_each_plan_alone_to_the_last_bit():
    generator = np.random.default_rng(3)
    problem = problem_of(random_graph(generator, 60), random_machine(generator, 3, "shared"))
    device = generator.integers(0, 3, (20, 60))[:, problem.graph.groups]
    priority = generator.standard_normal((20, 60))
    together = evaluate(problem, device, priority, threads=2)
    for row in range(20):
        alone = evaluate(problem, device[row : row + 1], priority[row : row + 1])
        assert alone.step_us[0] == together.step_us[row]
        assert np.array_equal(alone.peak_bytes[0], together.peak_bytes[row])


def test_clusters_that_wait_for_each_other_are_refused():
    graph = ordered(
        "chain", ["add"] * 3, list("abc"), flops=[1] * 3, traffic_bytes=[1] * 3, output_bytes=[1] * 3,
        edges=[(0, 1), (1, 2)],
    )  # fmt: skip
    problem = problem_of(graph, Machine("one", (Device("d", 1e9, 1e9, 1e9, 1.0),), (), ((-1,),)))
    with pytest.raises(InputError, match="wait for each other"):
        evaluate(problem, np.zeros((1, 3)), np.zeros((1, 3)), np.array([[0, 1, 0]]))
