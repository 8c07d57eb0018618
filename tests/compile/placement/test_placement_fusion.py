"""What fusion may merge, and that its plans run and pay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_placement_event_loop import random_graph, random_machine

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.graph import ordered
from pomona.compile.placement.machine.machine import Device, Machine
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.simulator.bounds import bounds
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.errors import InputError

ONE = Machine("one", (Device("d", 1e9, 1e9, 1e9, 5.0),), (), ((-1,),))


def has_cycle(edges, cluster):
    pairs = {(cluster[s], cluster[t]) for s, t in edges if cluster[s] != cluster[t]}
    left = set(cluster)
    while True:
        free = left - {t for s, t in pairs if s in left and t in left}
        if not free:
            return bool(left)
        left -= free


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(1, 30))
def test_clusters_keep_the_rules_and_run_within_the_bounds(seed, num_nodes):
    generator = np.random.default_rng(seed)
    problem = problem_of(random_graph(generator, num_nodes), random_machine(generator, 2, "serial"))
    graph = problem.graph
    device = generator.integers(0, 2, num_nodes)[graph.groups]
    cluster = fuse(problem, device, generator.standard_normal(num_nodes))
    heavy = np.array([name == "matmul" for name in graph.op_names])[graph.op] & ~graph.is_free
    for unit in np.unique(cluster):
        members = np.flatnonzero(cluster == unit)
        assert members[0] == unit
        assert len(set(device[members])) == 1
        assert heavy[members].sum() <= 1
        assert len(members) == 1 or not graph.is_stored[members].any()
    assert not has_cycle(graph.edges.tolist(), cluster.tolist())
    step_us = evaluate(problem, device[None], np.zeros((1, num_nodes)), cluster[None]).step_us[0]
    assert step_us >= bounds(problem).lower_us * (1 - 1e-12)


def chain(num_nodes, kind="add"):
    return ordered(
        "chain", [kind] * num_nodes, [str(i) for i in range(num_nodes)], flops=np.full(num_nodes, 1.0),
        traffic_bytes=np.full(num_nodes, 2000.0), output_bytes=np.full(num_nodes, 1000.0),
        edges=[(i, i + 1) for i in range(num_nodes - 1)],
    )  # fmt: skip


def test_a_fused_chain_costs_one_launch_and_its_first_read_and_last_write():
    problem = problem_of(chain(5), ONE)
    device = np.zeros(5, int)
    cluster = fuse(problem, device, np.ones(5))
    assert cluster.tolist() == [0] * 5
    scores = evaluate(problem, device[None], np.zeros((1, 5)), cluster[None])
    # by hand: 1,000 bytes in, 1,000 out at 1,000 bytes/us, and 5 us to launch, for 5 x 7 us unfused
    assert scores.step_us[0] == pytest.approx(7.0)
    assert evaluate(problem, device[None], np.zeros((1, 5))).step_us[0] == pytest.approx(35.0)
    assert scores.peak_bytes[0, 0] == 1000.0


def test_at_most_sixty_four_nodes_and_one_heavy_one_come_together():
    problem = problem_of(chain(200), ONE)
    cluster = fuse(problem, np.zeros(200, int), np.ones(200))
    assert np.bincount(cluster).max() == 64
    heavy = problem_of(chain(6, "matmul"), ONE)
    assert fuse(heavy, np.zeros(6, int), np.ones(6)).tolist() == list(range(6))


def test_negative_priorities_and_other_devices_keep_nodes_apart():
    problem = problem_of(chain(4), ONE)
    assert fuse(problem, np.zeros(4, int), np.array([1.0, -1.0, 1.0, 1.0])).tolist() == [0, 0, 2, 2]
    assert fuse(problem, np.array([0, 0, 1, 1]), np.ones(4)).tolist() == [0, 0, 2, 2]
    with pytest.raises(InputError, match="one number a node"):
        fuse(problem, np.zeros(3, int), np.ones(3))
