"""The simulator worked by hand, its bounds against every plan there is, and its timeline against itself."""

from itertools import permutations, product

import numpy as np
import pytest
from test_placement_event_loop import random_graph, random_machine

from pomona.compile.placement.graph import ordered
from pomona.compile.placement.machine.machine import Device, Link, Machine
from pomona.compile.placement.machine.presets import placeto
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.simulator.bounds import bounds
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.timeline import simulate
from pomona.foundation.errors import InputError


def graph_of_edges(num_nodes, edges, *, flops=0.0, traffic=0.0, output=0.0, stored=()):
    return ordered(
        "by hand", ["add"] * num_nodes, [f"n{i}" for i in range(num_nodes)],
        flops=np.broadcast_to(flops, num_nodes), traffic_bytes=np.broadcast_to(traffic, num_nodes),
        output_bytes=np.broadcast_to(output, num_nodes), edges=edges,
        is_stored=np.isin(np.arange(num_nodes), stored),
    )  # fmt: skip


def step(problem, device, priority=None):
    priority = -np.arange(len(device)) if priority is None else priority
    return evaluate(problem, np.array([device]), np.array([priority], float)).step_us[0]


# Placeto's published constants: 7,600 bytes/us and 25 us a transfer, 5.7 us an operation. One operation has
# 43.7 MFLOP, 10 us on a K80 die of 4.37 TFLOP/s, and 76,000 bytes to send, 10 us on the wire.
CHAIN = graph_of_edges(3, [(0, 1), (1, 2)], flops=43.7e6, output=76_000.0)
DIAMOND = graph_of_edges(4, [(0, 1), (0, 2), (1, 3), (2, 3)], flops=43.7e6, output=76_000.0)


@pytest.mark.parametrize(
    ("graph", "device", "by_hand"),
    [
        (CHAIN, [0, 0, 0], 3 * 15.7),
        (CHAIN, [0, 0, 1], 3 * 15.7 + 35),
        (CHAIN, [0, 1, 0], 3 * 15.7 + 2 * 35),
        (DIAMOND, [0, 0, 0, 0], 4 * 15.7),
        # n1 and n2 side by side; the input of n2 and its output each cross once
        (DIAMOND, [0, 0, 1, 0], 3 * 15.7 + 2 * 35),
        # the two outputs of device 0 wait for one another on its bus, those of devices 1 and 2 do not
        (DIAMOND, [0, 1, 2, 0], 15.7 + 35 + 35 + 15.7 + 35 + 15.7),
        # an output goes to a device once, however many read it there
        (DIAMOND, [0, 1, 1, 1], 15.7 + 35 + 3 * 15.7),
    ],
)
def test_placetos_constants_give_what_a_hand_reckons(graph, device, by_hand):
    assert step(problem_of(graph, placeto(8)), device) == pytest.approx(by_hand)


def test_transfers_on_a_shared_link_get_equal_parts_of_it():
    # two of 1,000 and 3,000 bytes at 1,000 bytes/us: shared until the first is done at 2, alone for the rest
    devices = tuple(Device(f"d{i}", 1e12, 1e12, 1e9, 0.0) for i in range(3))
    routes = ((-1, 0, 0), (0, -1, 0), (0, 0, -1))
    graph = graph_of_edges(
        4, [(0, 2), (1, 3)], traffic=[0, 0, 1e6, 1e6], output=[1000, 3000, 0, 0], stored=(0, 1)
    )
    for mode, by_hand in (("shared", [0.5 + 2, 0.5 + 4]), ("serial", [0.5 + 1, 1.5 + 0.5 + 3])):
        machine = Machine("m", devices, (Link("l", 1e9, 0.5, mode),), routes)
        problem = problem_of(graph, machine)
        moves = simulate(problem, Plan(np.array([0, 0, 1, 2]), -np.arange(4.0), np.arange(4))).moves
        assert moves.end_us.tolist() == pytest.approx(by_hand)


def test_the_highest_priority_runs_first_and_decides_what_is_sent_first():
    devices = tuple(Device(f"d{i}", 1e12, 1e12, 1e9, 0.0) for i in range(2))
    machine = Machine("m", devices, (Link("l", 1e9, 0.0),), ((-1, 0), (0, -1)))
    # n0 and n1 take 10 us each on device 0; n3 on device 1 reads n1 and takes 50
    graph = graph_of_edges(4, [(0, 2), (1, 3)], flops=[1e7, 1e7, 1e6, 5e7], output=1.0)
    problem = problem_of(graph, machine)
    assert step(problem, [0, 0, 0, 1], [4, 3, 2, 1]) == pytest.approx(20 + 0.001 + 50)
    assert step(problem, [0, 0, 0, 1], [3, 4, 2, 1]) == pytest.approx(10 + 0.001 + 50)


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_beats_the_bounds(seed):
    generator = np.random.default_rng(seed)
    machine = random_machine(generator, 2, "serial")
    problem = problem_of(random_graph(generator, 5), machine)
    groups = problem.graph.groups
    placements = np.array([p for p in product(range(2), repeat=5) if all(np.array(p) == np.array(p)[groups])])
    orders = np.array(list(permutations(range(5))), float)
    device = np.repeat(placements, len(orders), axis=0)
    scores = evaluate(problem, device, np.tile(orders, (len(placements), 1)))
    least = bounds(problem, can_fuse=False)
    assert scores.step_us.min() >= least.lower_us * (1 - 1e-12)
    assert scores.peak_bytes.sum(axis=1).min() >= least.memory_bytes
    assert bounds(problem).lower_us <= least.lower_us * (1 + 1e-12)


def test_the_critical_chain_fills_the_step_and_curves_reach_the_peaks():
    generator = np.random.default_rng(5)
    for mode in ("serial", "shared"):
        problem = problem_of(random_graph(generator, 80), random_machine(generator, 3, mode))
        device = generator.integers(0, 3, 80)[problem.graph.groups]
        timeline = simulate(problem, Plan(device, generator.standard_normal(80), np.arange(80)))
        moves = timeline.moves
        lengths = (timeline.end_us - timeline.start_us)[timeline.is_critical].sum()
        lengths += (moves.end_us - moves.start_us)[timeline.is_critical_move].sum()
        assert lengths == pytest.approx(timeline.step_us)
        for curve, peak in zip(timeline.memory, timeline.peak_bytes, strict=True):
            assert curve.used_bytes.max() == pytest.approx(peak)
            assert np.all(np.diff(curve.time_us) >= 0)


def test_plans_that_do_not_fit_the_problem_are_refused_in_one_line():
    problem = problem_of(CHAIN, placeto(2))
    with pytest.raises(InputError, match="one number a node"):
        evaluate(problem, np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(InputError, match="devices should be 0 to 1"):
        evaluate(problem, np.full((1, 3), 2), np.zeros((1, 3)))
    with pytest.raises(InputError, match="device"):
        simulate(problem, Plan(np.full(3, 5), np.zeros(3), np.arange(3)))
