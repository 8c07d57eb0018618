"""Proximal policy optimisation: draw plans, simulate them, make the better ones likelier."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int32
from torch import Tensor

from pomona.compile.placement.baselines.metis import metis
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.policy.features import Features, features_of
from pomona.compile.placement.policy.network import (
    GraphOptimizer,
    Inputs,
    draw,
    inputs_of,
    mean_entropy,
    taken,
)
from pomona.compile.placement.policy.plans import Outcome, Plans, outcome_of, plans_of
from pomona.compile.placement.policy.settings import PolicySettings
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.bounds import bounds

REWARD_MEMORY = 0.9
"""The mean of earlier rewards forgets: a step's mean enters with 1 − this."""


@dataclass(eq=False)
class Case:
    """One problem while a policy learns on it."""

    problem: Problem
    features: Features
    inputs: Inputs
    reference_us: float
    """A step at the lower bound is worth a reward of −1."""
    mean_reward: float | None = None
    best_reward: float = -np.inf
    best_actions: Tensor | None = None
    best_plan: Plan | None = None
    best_fusion: np.ndarray | None = None
    """The best plan's fusion priorities, where fusion is a task."""
    best_step_us: float = np.inf
    evaluations: int = 0


def case_of(
    problem: Problem,
    max_units: int,
    base: Int32[np.ndarray, " node"] | None = None,
    *,
    with_defaults: bool = True,
) -> Case:
    """A problem made ready to learn on, beside a base placement, by default METIS's.

    `with_defaults`: the order and fusion that suit the base are found out, by four simulations. Raises
    MissingExtraError without pymetis.
    """
    if base is None:
        base = metis(problem, np.random.default_rng(0)).device
    features = features_of(problem, max_units, base)
    case = Case(problem, features, inputs_of(features), bounds(problem).lower_us)
    return replace(case, features=_best_defaults(case)) if with_defaults else case


def _best_defaults(case: Case) -> Features:
    """The order and the rule of fusion that suit the base placement best, before any decision."""
    tasks, middle = ("scheduling", "fusion"), 1
    actions = np.full((1, 2, case.features.num_units), middle, np.int64)
    variants = [
        replace(case.features, by_program=by_program, fuses=fuses)
        for by_program in (False, True)
        for fuses in (True, False)
    ]
    rewards = []
    for features in variants:
        plans = plans_of(case.problem, features, tasks, actions, num_levels=2 * middle + 1)
        rewards.append(outcome_of(case.problem, plans, case.reference_us).rewards[0])
    return variants[int(np.argmax(rewards))]


def simulated(case: Case, tasks: tuple[str, ...], actions: Tensor, num_levels: int) -> tuple[Plans, Outcome]:
    """The plans of actions and what comes of them; the case keeps the best."""
    plans = plans_of(case.problem, case.features, tasks, actions.numpy(), num_levels)
    outcome = outcome_of(case.problem, plans, case.reference_us)
    case.evaluations += len(actions)
    best = int(outcome.rewards.argmax())
    if outcome.rewards[best] > case.best_reward:
        case.best_reward, case.best_actions = float(outcome.rewards[best]), actions[best].clone()
        case.best_plan, case.best_step_us = plans[best], float(outcome.step_us[best])
        case.best_fusion = None if plans.fusion is None else plans.fusion[best]
    return plans, outcome


def ppo_step(
    network: GraphOptimizer,
    optimiser: torch.optim.Optimizer,
    case: Case,
    settings: PolicySettings,
    generator: torch.Generator,
    *,
    entropy_weight: float,
) -> Outcome:
    """One round: `rollouts` plans from one pass, simulated, then `epochs` changes of the weights.

    The advantage is the reward less the mean of earlier ones (this step's included), in units of its spread.
    """
    with torch.no_grad():
        log_probs = network(case.inputs, settings.tasks)
    actions = draw(log_probs, settings.rollouts, generator)
    old = taken(log_probs, actions)
    _, outcome = simulated(case, settings.tasks, actions, network.settings.num_levels)
    advantages = _advantages(case, outcome)
    for _ in range(settings.epochs):
        optimiser.zero_grad(set_to_none=True)
        log_probs = network(case.inputs, settings.tasks)
        loss = clipped_loss(taken(log_probs, actions), old, advantages, settings.clip)
        loss = loss - entropy_weight * mean_entropy(log_probs)
        if settings.elite_weight and case.best_actions is not None:
            loss = loss - settings.elite_weight * taken(log_probs, case.best_actions[None]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return outcome


def clipped_loss(
    new: Float[Tensor, "plan task unit"],
    old: Float[Tensor, "plan task unit"],
    advantages: Float[Tensor, " plan"],
    clip: float,
) -> Tensor:
    """PPO's loss, with a ratio for every decision: the product over units would leave any range."""
    ratio = (new - old).exp()
    gain = ratio * advantages[:, None, None]
    clipped = ratio.clamp(1 - clip, 1 + clip) * advantages[:, None, None]
    return -torch.minimum(gain, clipped).mean()


def _advantages(case: Case, outcome: Outcome) -> Tensor:
    rewards = outcome.rewards
    now = float(rewards.mean())
    before = now if case.mean_reward is None else case.mean_reward
    case.mean_reward = REWARD_MEMORY * before + (1 - REWARD_MEMORY) * now
    baseline = 0.5 * (now + case.mean_reward)
    spread = max(float(rewards.std()), 1e-4)
    return torch.from_numpy((rewards - baseline) / spread).float().clamp_(-5, 5)
