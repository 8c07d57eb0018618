"""The exact method against every placement with every order, and what it makes of a large graph."""

from itertools import permutations, product

import numpy as np
import pytest
from test_placement_event_loop import random_graph, random_machine

from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.plan import check_plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.search.coarse import coarse_problem
from pomona.compile.placement.search.exact import coarse_optimum, optimum
from pomona.compile.placement.simulator.bounds import bounds
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.tasks import tasks_of


@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_is_that_of_all_placements_and_orders(seed):
    generator = np.random.default_rng(seed)
    machine = random_machine(generator, 2, "serial")
    problem = problem_of(random_graph(generator, 5), machine)
    groups = problem.graph.groups
    placements = [p for p in product(range(2), repeat=5) if all(np.array(p) == np.array(p)[groups])]
    orders = np.array(list(permutations(range(5))), float)
    device = np.repeat(np.array(placements), len(orders), axis=0)
    scores = evaluate(problem, device, np.tile(orders, (len(placements), 1)))
    found = optimum(problem, seconds=20)
    assert found.is_proven
    assert found.step_us == pytest.approx(scores.step_us[scores.is_valid].min())
    assert found.step_us >= bounds(problem, can_fuse=False).lower_us * (1 - 1e-12)


def test_a_coarse_graph_holds_all_the_work_and_sends_what_the_whole_one_sends():
    problem = problem_of(FAMILIES["rnnlm-2"](size=0.1), pcie_gpus(2))
    tasks = tasks_of(problem, 30)
    small, task = coarse_problem(problem, tasks)
    np.testing.assert_allclose(small.run_us.sum(axis=1), problem.run_us.sum(axis=1))
    generator = np.random.default_rng(0)
    device = generator.integers(0, 2, tasks.num_tasks)[tasks.team]
    sent = []
    for one, place in ((problem, device[tasks.of]), (small, device[task])):
        pairs = {
            (s, place[t]) for s, t in zip(*one.graph.edges.T.tolist(), strict=True) if place[s] != place[t]
        }
        sent.append(sum(one.graph.output_bytes[s] for s, _ in pairs))
    assert sent[0] == pytest.approx(sent[1])


def test_a_large_graph_is_placed_as_its_coarse_optimum_and_a_better_start_is_kept():
    problem = problem_of(FAMILIES["rnnlm-2"](size=0.1), pcie_gpus(2))
    found = coarse_optimum(problem, seconds=1.0)
    check_plan(found.plan, problem)
    scores = evaluate(problem, found.plan.device[None], found.plan.priority[None])
    assert scores.is_valid[0]
    assert scores.step_us[0] == found.step_us
    single = evaluate(problem, np.zeros((1, problem.graph.num_nodes)), found.plan.priority[None])
    assert found.step_us <= single.step_us[0]
    assert coarse_optimum(problem, seconds=0.2, start=found.plan).step_us <= found.step_us
