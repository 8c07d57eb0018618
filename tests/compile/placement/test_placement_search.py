"""The search never gets worse, keeps to what it may decide, and beats METIS."""

import numpy as np
import pytest

from pomona.compile.placement.baselines.metis import metis
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import check_plan, default_plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.search.annealing import search_plan
from pomona.compile.placement.search.decisions import first_decisions, judged
from pomona.compile.placement.search.levels import levels_of
from pomona.compile.placement.search.neighbourhoods import (
    FUSION_MOVES,
    PLACEMENT_MOVES,
    SCHEDULING_MOVES,
    View,
)
from pomona.compile.placement.search.region import region
from pomona.compile.placement.search.walk import Stage, Walk
from pomona.compile.placement.settings import DECISIONS
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.tables import tables_of

PROBLEM = problem_of(FAMILIES["rnnlm-2"](size=0.1), pcie_gpus(3))

MOVES = {**PLACEMENT_MOVES, **SCHEDULING_MOVES, **FUSION_MOVES}
FIRST = first_decisions(PROBLEM, metis(PROBLEM, np.random.default_rng(0)), DECISIONS)


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


def test_an_annealing_in_stages_counts_what_it_does_and_can_be_begun_again():
    better = []
    walk = Walk(PROBLEM, FIRST, DECISIONS, 300, np.random.default_rng(0), on_better=better.append)
    for first, last in ((0.2, 0.4), (0.4, 1.0)):
        stage = Stage(60.0, 150, first=first, last=last)
        walk.go(stage)
        assert stage.is_over()
        assert stage.done() == pytest.approx(last)
    assert walk.count == 300
    assert better[-1] is walk.best
    assert walk.best.key < FIRST.key
    # a plan that was searched for keeps the priorities that it fused by, and else some that fuse it alike
    best = walk.best.decisions
    kept = first_decisions(PROBLEM, best.plan, DECISIONS, best.fusion)
    assert kept.step_us == walk.best.step_us
    assert np.array_equal(kept.decisions.fusion, best.fusion)
    made_up = first_decisions(PROBLEM, best.plan, DECISIONS)
    assert made_up.step_us == walk.best.step_us
    assert np.mean(fuse(PROBLEM, best.device, made_up.decisions.fusion) == best.cluster) > 0.7


@pytest.mark.parametrize("name", MOVES)
def test_a_move_leaves_decisions_that_can_run(name):
    view = View(PROBLEM, levels_of(PROBLEM, 500), FIRST, can_fuse=True)
    generator = np.random.default_rng(1)
    found = [one for one in (MOVES[name](view, generator) for _ in range(12)) if one is not None]
    assert found
    for one in found:
        check_plan(one.plan, PROBLEM)
        assert np.isfinite(judged(PROBLEM, one).step_us)
        if name in PLACEMENT_MOVES:
            assert not np.array_equal(one.device, FIRST.decisions.device)
        else:
            assert np.array_equal(one.device, FIRST.decisions.device)


def test_a_region_is_connected_and_on_one_device():
    device = FIRST.decisions.device
    generator = np.random.default_rng(0)
    for seed in generator.integers(0, len(device), 20).tolist():
        some = region(tables_of(PROBLEM), device, seed, 15, generator.random(30))
        assert some[0] == seed
        assert len(set(device[some])) == 1
        for at in range(1, len(some)):
            near = np.concatenate(
                [PROBLEM.sources_of.of(int(some[at])), PROBLEM.consumers_of.of(int(some[at]))]
            )
            assert np.isin(near, some[:at]).any()
