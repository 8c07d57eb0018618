"""The weights that come with Pomona, and the search that they guide."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.plan import check_plan, default_plan
from pomona.compile.placement.policy.optimise import FINE_TUNING, fine_tune, zero_shot
from pomona.compile.placement.policy.settings import NetworkSettings
from pomona.compile.placement.policy.weights import PRETRAINED, new_network, read_weights, write_weights
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.search.annealing import search_plan
from pomona.compile.placement.search.guided import GuidedSettings, guided
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.errors import AssetError


def problem(family: str, num_devices: int = 4):
    return problem_of(FAMILIES[family](size=0.03), pcie_gpus(num_devices))


def step_us(task, plan) -> float:
    return float(evaluate(task, plan.device[None], plan.priority[None], plan.cluster[None]).step_us[0])


def test_the_weights_are_small():
    assert PRETRAINED.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "family", ["rnnlm-2", "gnmt-2", "transformer-xl-8", "inception", "amoebanet", "wavenet-4x36"]
)
def test_the_policy_makes_whole_plans_for_every_family(family):
    task = problem(family)
    plan = zero_shot(task)
    check_plan(plan, task)
    assert evaluate(task, plan.device[None], plan.priority[None], plan.cluster[None]).is_valid[0]
    assert np.array_equal(plan.device, zero_shot(task).device)


def test_drawn_plans_are_never_worse_than_the_most_probable():
    task = problem("wavenet-2x18", 2)
    drawn = zero_shot(task, num_samples=16, generator=np.random.default_rng(0))
    assert step_us(task, drawn) <= step_us(task, zero_shot(task))


def test_fine_tuning_starts_from_the_policy_and_ends_with_its_steps():
    task = problem("wavenet-2x18", 2)
    settings = replace(FINE_TUNING, rollouts=8, epochs=1)
    found = fine_tune(task, steps=2, generator=np.random.default_rng(0), settings=settings)
    assert found.evaluations == 1 + 2 * 8
    assert found.step_us <= step_us(task, zero_shot(task))
    assert found.step_us == pytest.approx(step_us(task, found.plan))


def test_a_guided_search_is_never_worse_than_its_start_and_the_seed_decides():
    task = problem("wavenet-2x18", 2)
    start = default_plan(task, np.zeros(task.graph.num_nodes, np.int32))
    plans = [
        guided(task, start=start, seconds=60.0, evaluations=120, generator=np.random.default_rng(1))
        for _ in range(2)
    ]
    check_plan(plans[0].plan, task)
    assert plans[0].step_us < step_us(task, start)
    assert [step for _, _, step in plans[0].history] == [step for _, _, step in plans[1].history]


def test_a_search_that_asks_no_policy_is_the_search_alone():
    task, clock = problem("rnnlm-2", 2), {"seconds": 60.0, "evaluations": 150}
    alone = search_plan(task, generator=np.random.default_rng(1), **clock)
    other = guided(task, generator=np.random.default_rng(1), settings=GuidedSettings(num_samples=0), **clock)
    assert [entry[1:] for entry in other.history] == [entry[1:] for entry in alone.history]
    assert other.evaluations == alone.evaluations == 150


def test_a_guided_search_spends_no_more_evaluations_than_it_may_and_reports_them_in_order():
    task = problem("transformer-xl-4")
    found = guided(task, seconds=60.0, evaluations=200, generator=np.random.default_rng(0))
    assert found.evaluations == 200
    counts = [count for _, count, _ in found.history]
    steps = [step for _, _, step in found.history]
    assert counts == sorted(counts)
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == found.step_us == step_us(task, found.plan)


def test_the_seconds_are_those_of_the_clock_given():
    task, ticks = problem("wavenet-2x18", 2), iter(range(10_000_000))
    slow = guided(task, seconds=4000.0, generator=np.random.default_rng(0), clock=lambda: float(next(ticks)))
    again = iter(range(10_000_000))
    same = guided(task, seconds=4000.0, generator=np.random.default_rng(0), clock=lambda: float(next(again)))
    assert slow.seconds >= 4000.0
    assert slow.history == same.history


def test_a_guided_search_leaves_the_placement_where_it_is_not_decided():
    task = problem("rnnlm-2", 2)
    base = (task.graph.groups % 2).astype(np.int32)
    start = default_plan(task, base)
    found = guided(
        task,
        start=start,
        decided=("scheduling", "fusion"),
        seconds=60.0,
        evaluations=40,
        generator=np.random.default_rng(0),
    )
    assert np.array_equal(found.plan.device, base)


def test_weights_survive_a_round_trip_to_half_precision(tmp_path):
    network = new_network(NetworkSettings(width=16, heads=2), 3)
    write_weights(network, tmp_path / "policy.safetensors")
    again = read_weights(tmp_path / "policy.safetensors")
    assert again.settings == network.settings
    for name, value in network.state_dict().items():
        assert np.array_equal(value.half().float().numpy(), again.state_dict()[name].numpy())


def test_a_file_that_holds_no_policy_is_refused_in_one_line(tmp_path):
    path = tmp_path / "policy.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(AssetError, match="should hold the weights of a placement policy"):
        read_weights(path)
