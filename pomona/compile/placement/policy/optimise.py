"""One problem, one plan: learned from nothing, by the shipped policy as it is, or after a few steps more."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pomona.compile.placement.baselines.finish import repaired
from pomona.compile.placement.default_policies import completed
from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.learning import Pace, learn
from pomona.compile.placement.policy.network import draw, most_probable
from pomona.compile.placement.policy.plans import as_plans, outcome_of
from pomona.compile.placement.policy.ppo import Case, case_of, simulated
from pomona.compile.placement.policy.settings import PolicySettings
from pomona.compile.placement.policy.weights import PRETRAINED, new_network, read_weights
from pomona.compile.placement.problem import Problem
from pomona.foundation.run import Run

OnBest = Callable[[Plan, float], None]

FINE_TUNING = PolicySettings(
    steps=50, rollouts=128, epochs=5, learning_rate=4e-3, entropy_weight=3e-3, elite_weight=0.3
)
"""Few steps, so each with many plans: a simulation costs far less than a pass through the network."""


def go_one(
    problem: Problem,
    *,
    seconds: float = 60.0,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: OnBest | None = None,
    settings: PolicySettings = PolicySettings(),
    base: np.ndarray | None = None,
    run: Run | None = None,
) -> Found:
    """A policy trained on this problem alone, from random weights; the best plan it drew.

    `settings.steps` sets how the entropy bonus falls; training ends with the seconds or evaluations. With a
    `run` it saves its state, stops when the run says so, and goes on from there when called again.
    """
    network = new_network(settings.network, int(generator.integers(2**31)))
    return _learned(
        problem, network, settings, Pace(seconds, evaluations, None), generator, on_best, base, run
    )


def fine_tune(
    problem: Problem,
    *,
    steps: int = 50,
    seconds: float = 60.0,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: OnBest | None = None,
    settings: PolicySettings = FINE_TUNING,
    weights: Path = PRETRAINED,
    run: Run | None = None,
) -> Found:
    """The shipped policy after at most `steps` steps of PPO on this problem; the best plan it drew.

    `seconds` and `evaluations` may end it earlier.
    """
    network = read_weights(weights)
    settings = replace(settings, steps=steps, network=network.settings)
    return _learned(
        problem, network, settings, Pace(seconds, evaluations, steps), generator, on_best, None, run
    )


def zero_shot(
    problem: Problem,
    *,
    num_samples: int = 0,
    generator: np.random.Generator | None = None,
    settings: PolicySettings = PolicySettings(),
    weights: Path = PRETRAINED,
) -> Plan:
    """The plan that the shipped policy holds most probable, from one pass, finished as the baselines' are.

    With `num_samples` (and a generator) the best of it and so many drawn plans, by the simulator.
    """
    network = read_weights(weights)
    case = case_of(problem, settings.max_units)
    try_most_probable(network, case, settings)
    if num_samples:
        assert generator is not None
        draws = torch.Generator().manual_seed(int(generator.integers(2**62)))
        with torch.no_grad():
            actions = draw(network(case.inputs, settings.tasks), num_samples, draws)
        simulated(case, settings.tasks, actions, network.settings.num_levels)
    assert case.best_plan is not None
    return _finished(problem, case.best_plan, settings.tasks)


def _finished(problem: Problem, plan: Plan, tasks: tuple[str, ...]) -> Plan:
    """The plan, or with one of the usual orders and fusions where that is quicker.

    Where it needs more memory than there is, its placement is repaired first, as the baselines' are.
    """
    own = outcome_of(problem, as_plans(plan), 1.0)
    if not own.is_valid[0] and "placement" in tasks:
        plan = replace(plan, device=repaired(problem, plan.device), cluster=np.arange(len(plan.device)))
        return completed(problem, plan, tasks)
    usual = completed(problem, plan, tasks)
    other = outcome_of(problem, as_plans(usual), 1.0)
    return usual if other.is_valid[0] and other.step_us[0] < own.step_us[0] else plan


def try_most_probable(network, case: Case, settings: PolicySettings) -> None:
    """Simulates the most probable actions, so that the case's best plan is at least theirs."""
    with torch.no_grad():
        actions = most_probable(network(case.inputs, settings.tasks))
    simulated(case, settings.tasks, actions, network.settings.num_levels)


def _learned(
    problem: Problem,
    network,
    settings: PolicySettings,
    pace: Pace,
    generator: np.random.Generator,
    on_best: OnBest | None,
    base: np.ndarray | None,
    run: Run | None,
) -> Found:
    started = time.monotonic()
    case = case_of(problem, settings.max_units, base)
    history: list[tuple[float, int, float]] = []

    def note() -> None:
        if not history or case.best_step_us < history[-1][2]:
            assert case.best_plan is not None
            history.append((time.monotonic() - started, case.evaluations, case.best_step_us))
            if on_best is not None:
                on_best(case.best_plan, case.best_step_us)

    try_most_probable(network, case, settings)
    note()
    learn(
        network,
        [case],
        settings,
        pace,
        seed=int(generator.integers(2**62)),
        started=started,
        after_step=note,
        run=run,
    )
    assert case.best_plan is not None
    return Found(case.best_plan, case.best_step_us, case.evaluations, time.monotonic() - started, history)
