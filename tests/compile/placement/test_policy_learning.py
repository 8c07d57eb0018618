"""Learning: PPO against brute force and closed forms, the same by seed, gone on with after a stop."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from pomona.compile.placement.graph import ordered
from pomona.compile.placement.machine.machine import Machine
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.policy.hierarchical import hierarchical
from pomona.compile.placement.policy.incremental import incremental
from pomona.compile.placement.policy.learning import Pace, learn
from pomona.compile.placement.policy.optimise import go_one
from pomona.compile.placement.policy.plans import INVALID_REWARD, outcome_of, plans_of
from pomona.compile.placement.policy.ppo import case_of, clipped_loss
from pomona.compile.placement.policy.settings import NetworkSettings, PolicySettings
from pomona.compile.placement.policy.weights import new_network
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run

SMALL = NetworkSettings(width=16, heads=2, sage_layers=1, trunk_layers=1)
QUICK = PolicySettings(tasks=("placement",), max_units=0, rollouts=16, epochs=2, steps=30, network=SMALL)


def branches(memory_bytes: float = 16e9) -> Problem:
    """Two chains of three between a source and a sink: each chain wants a device of its own."""
    graph = ordered(
        "branches",
        ["matmul"] * 8,
        list("abcdefgh"),
        flops=[1e9, 9e9, 9e9, 9e9, 8e9, 8e9, 8e9, 1e9],
        traffic_bytes=[1e6] * 8,
        output_bytes=[1e5] * 8,
        edges=[(0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 7)],
        resident_bytes=[1e8] * 8,
    )
    machine = pcie_gpus(2)
    devices = tuple(replace(device, memory_bytes=memory_bytes) for device in machine.devices)
    return problem_of(graph, Machine("limited", devices, machine.links, machine.routes))


def best_by_brute_force(problem: Problem) -> float:
    device = np.array(list(itertools.product(range(2), repeat=8)), np.int32)
    scores = evaluate(problem, device, -np.arange(8.0)[None])
    return float(scores.step_us[scores.is_valid].min())


@pytest.mark.parametrize("memory_bytes", [16e9, 4.1e8], ids=["plenty", "half"])
def test_ppo_finds_the_best_placement(memory_bytes):
    problem = branches(memory_bytes)
    found = go_one(
        problem,
        evaluations=640,
        generator=np.random.default_rng(0),
        settings=replace(QUICK, entropy_weight=0.03, elite_weight=0.02, steps=60),
        base=np.zeros(8, np.int32),
    )
    assert found.step_us == pytest.approx(best_by_brute_force(problem))
    assert [step for _, _, step in found.history] == sorted((s for _, _, s in found.history), reverse=True)


@pytest.mark.parametrize(("method", "evaluations"), [(hierarchical, 320), (incremental, 640)])
def test_rivals_find_the_best_placement_too(method, evaluations):
    problem = branches()
    found = method(problem, seconds=60.0, evaluations=evaluations, generator=np.random.default_rng(0))
    assert found.step_us == pytest.approx(best_by_brute_force(problem))


@pytest.mark.parametrize("method", [go_one, hierarchical, incremental])
def test_the_seed_decides(method):
    extra = {"settings": QUICK} if method is go_one else {}
    problem = branches()
    plans = [
        method(problem, seconds=60.0, evaluations=64, generator=np.random.default_rng(5), **extra)
        for _ in range(2)
    ]
    first, second = ([step[1:] for step in found.history] for found in plans)
    assert first == second
    assert np.array_equal(plans[0].plan.device, plans[1].plan.device)


def test_a_stopped_run_goes_on_as_if_it_had_not():
    problem = branches()
    weights = []
    for parts in ([6], [2, 6]):
        with temporary_run(seed=0) as run:
            for turn, steps in enumerate(parts):
                case = case_of(problem, 0, np.zeros(8, np.int32))
                network = new_network(SMALL, 1 + turn)
                learn(network, [case], QUICK, Pace(None, None, steps), seed=3, started=0.0, run=run)
        weights.append(network.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_rewards_are_as_stated():
    problem = branches(4.1e8)
    case = case_of(problem, 0, np.zeros(8, np.int32))
    place = case.features.unit_of_node
    split = np.zeros((3, 1, 8), np.int64)
    split[0, 0, place[[1, 2, 3, 7]]] = 1
    split[1, 0, place[[1, 2]]] = 1
    plans = plans_of(problem, case.features, ("placement",), split, 9)
    outcome = outcome_of(problem, plans, case.reference_us)
    root = -np.sqrt(outcome.step_us / case.reference_us)
    assert outcome.is_valid.tolist() == [True, False, False]
    assert outcome.rewards[0] == pytest.approx(root[0])
    assert INVALID_REWARD <= outcome.rewards[2] < outcome.rewards[1] < root[1] - 1


def test_the_loss_is_the_clipped_ratio_times_the_advantage():
    old = torch.zeros(2, 1, 1)
    new = torch.tensor([[[0.5]], [[-0.5]]])
    advantages = torch.tensor([1.0, -2.0])
    expected = -np.mean([min(np.exp(0.5), 1.2), -2 * max(np.exp(-0.5), 0.8)])
    assert float(clipped_loss(new, old, advantages, 0.2)) == pytest.approx(expected)


def test_without_placement_everything_stays_where_the_base_has_it():
    problem = branches()
    base = np.array([0, 1, 1, 0, 0, 0, 1, 1], np.int32)
    found = go_one(
        problem,
        evaluations=40,
        generator=np.random.default_rng(0),
        settings=replace(QUICK, tasks=("scheduling", "fusion")),
        base=base,
    )
    assert np.array_equal(found.plan.device, base)


@pytest.mark.parametrize("tasks", [(), ("fusion", "placement"), ("colour",)])
def test_wrong_tasks_are_refused(tasks):
    with pytest.raises(SettingError, match="tasks must be some of placement"):
        PolicySettings(tasks=tasks)
