"""The search never gets worse, keeps to what it may decide, and beats METIS."""

import numpy as np
import pytest

from pomona.compile.placement.baselines.metis import metis
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import check_plan, default_plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.search.annealing import search_plan
from pomona.compile.placement.search.decisions import DECISIONS
from pomona.compile.placement.simulator.evaluate import evaluate

PROBLEM = problem_of(FAMILIES["rnnlm-2"](size=0.1), pcie_gpus(3))


def searched(problem=PROBLEM, evaluations=150, seed=0, **options):
    return search_plan(
        problem, seconds=60.0, evaluations=evaluations, generator=np.random.default_rng(seed), **options
    )


def scores_of(problem, plan):
    return evaluate(problem, plan.device[None], plan.priority[None], plan.cluster[None])


@pytest.mark.parametrize("decided", [("placement",), ("scheduling",), ("fusion",), DECISIONS])
def test_only_what_is_decided_changes_and_the_result_is_what_the_simulator_says(decided):
    start = metis(PROBLEM, np.random.default_rng(0))
    plans = []
    found = searched(
        start=start, decided=decided, on_best=lambda plan, step_us: plans.append((plan, step_us))
    )
    check_plan(found.plan, PROBLEM)
    assert scores_of(PROBLEM, found.plan).step_us[0] == found.step_us
    steps = [step_us for _, _, step_us in found.history]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == found.step_us == plans[-1][1]
    assert found.evaluations == 150
    if "placement" not in decided:
        assert np.array_equal(found.plan.device, start.device)
    if "fusion" not in decided:
        assert np.array_equal(found.plan.cluster, np.arange(PROBLEM.graph.num_nodes))
    if "scheduling" not in decided:
        assert np.array_equal(found.plan.priority, -np.arange(PROBLEM.graph.num_nodes))


def test_the_same_generator_finds_the_same_plan_and_another_may_not():
    one, same = searched(), searched()
    assert one.step_us == same.step_us
    assert np.array_equal(one.plan.device, same.plan.device)
    assert [h[1:] for h in one.history] == [h[1:] for h in same.history]


def test_a_search_beats_metis_and_ends_when_it_is_told():
    start = metis(PROBLEM, np.random.default_rng(0))
    before = scores_of(PROBLEM, start).step_us[0]
    assert searched(start=start, decided=("placement", "scheduling"), evaluations=600).step_us < 0.97 * before
    calls = iter([False] * 5 + [True] * 9)
    assert searched(start=start, should_stop=lambda: next(calls)).evaluations <= 5
    assert search_plan(PROBLEM, seconds=0.0, generator=np.random.default_rng(0)).evaluations == 0


def test_a_search_finds_its_way_into_memory():
    peak = scores_of(PROBLEM, metis(PROBLEM, np.random.default_rng(0))).peak_bytes.max()
    problem = problem_of(PROBLEM.graph, machine_of("3", 1.1 * peak))
    full = default_plan(problem, np.zeros(problem.graph.num_nodes, int))
    assert not scores_of(problem, full).is_valid[0]
    found = searched(problem, start=full, evaluations=400, decided=("placement",))
    assert scores_of(problem, found.plan).is_valid[0]
