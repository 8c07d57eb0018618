"""One battery for every baseline: plans fit in memory or say so, keep groups and repeat themselves."""

import re

import numpy as np
import pytest

from pomona.compile.placement.baselines import BASELINES
from pomona.compile.placement.baselines.favourites import favourite_children
from pomona.compile.placement.baselines.layers import blocks, depth
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import check_plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.simulator.bounds import bounds
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.tasks import tasks_of

SMALL = FAMILIES["rnnlm-2"](size=0.1)


def scores_of(problem, plan):
    return evaluate(problem, plan.device[None], plan.priority[None], plan.cluster[None])


@pytest.fixture(scope="module")
def alone():
    problem = problem_of(SMALL, pcie_gpus(1))
    return float(scores_of(problem, BASELINES["single"](problem, np.random.default_rng(0))).peak_bytes.max())


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("num_devices", [1, 3])
def test_a_baseline_keeps_groups_repeats_itself_and_is_no_better_than_the_bound(name, num_devices):
    problem = problem_of(SMALL, pcie_gpus(num_devices))
    plan = BASELINES[name](problem, np.random.default_rng(0))
    again = BASELINES[name](problem, np.random.default_rng(0))
    check_plan(plan, problem)
    assert np.array_equal(plan.device, again.device)
    assert np.array_equal(plan.priority, again.priority)
    scores = scores_of(problem, plan)
    assert scores.is_valid[0]
    assert scores.step_us[0] >= bounds(problem, can_fuse=False).lower_us


@pytest.mark.parametrize("name", BASELINES)
def test_memory_is_repaired_where_one_device_is_too_small(name, alone):
    problem = problem_of(SMALL, machine_of("4", 0.6 * alone))
    plan = BASELINES[name](problem, np.random.default_rng(0))
    check_plan(plan, problem)
    assert scores_of(problem, plan).is_valid[0]


def test_what_fits_nowhere_is_said_not_hidden(alone):
    problem = problem_of(SMALL, machine_of("2", 0.01 * alone))
    plan = BASELINES["metis"](problem, np.random.default_rng(0))
    assert not scores_of(problem, plan).is_valid[0]
    assert bounds(problem).memory_bytes > problem.memory_bytes.sum()


def test_metis_beats_the_program_cut_in_equal_parts():
    problem = problem_of(SMALL, pcie_gpus(2))
    generator = np.random.default_rng(0)
    metis, topological = (
        scores_of(problem, BASELINES[n](problem, generator)) for n in ("metis", "topological")
    )
    assert metis.step_us[0] < topological.step_us[0]


def test_tasks_can_run_in_their_order_and_hold_all_the_work():
    problem = problem_of(SMALL, pcie_gpus(2))
    for most in (10, 60, 10**6):
        tasks = tasks_of(problem, most)
        source, target = tasks.of[problem.graph.edges].T
        assert np.all(source <= target)
        np.testing.assert_allclose(tasks.run_us.sum(axis=1), problem.run_us.sum(axis=1))
        assert np.array_equal(tasks.team[tasks.of], tasks.team[tasks.of][problem.graph.groups])


def test_layers_are_as_deep_as_their_weights_forward_and_backward():
    layer = depth(problem_of(SMALL, pcie_gpus(2)))
    above = layer[SMALL.labels.index("layer1/weight")]
    of_first = [node for node, label in enumerate(SMALL.labels) if label.startswith("layer0/")]
    of_second = [
        n for n, label in enumerate(SMALL.labels) if re.match("layer1/step./gradient/matmul$", label)
    ]
    assert layer[of_first].max() < above
    assert set(layer[of_second].tolist()) == {int(above)}
    assert blocks(np.array([5.0, 1, 1, 1, 4]), 3).tolist() == [0, 1, 1, 1, 2]


def test_a_favourite_child_is_the_reader_whose_transfer_costs_most():
    # 0 -> 1 and 0 -> 2, the second transfer decides the makespan; 1 and 2 -> 3 likewise
    child = favourite_children(
        np.ones(4), np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3]), np.array([1.0, 9.0, 1.0, 9.0])
    )
    assert child.tolist() == [2, -1, 3, -1]
