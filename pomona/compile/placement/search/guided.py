"""Policy and local search under one clock: the policy says where to begin and which moves are worth a try.

Its draws, on two sizes of units, are rivals of the start; the best plan is then annealed as in annealing.py,
with moves added that the policy proposes for the placement reached by then. Neighbourhoods are chosen by what
they gain, so that poor advice is soon heard less.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.network import GraphOptimizer, draw, most_probable
from pomona.compile.placement.policy.ppo import case_of, simulated
from pomona.compile.placement.policy.weights import read_weights
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.annealing import OnBest, search_plan
from pomona.compile.placement.search.decisions import Judged, first_decisions, quick_start
from pomona.compile.placement.search.neighbourhoods import Move
from pomona.compile.placement.search.policy_moves import Adviser, policy_moves
from pomona.compile.placement.settings import DECISIONS

SHARPNESS = (1.0, 2.0, 4.0)
"""Of equal shares of the draws: far from the most probable plan and near to it."""


@dataclass(frozen=True)
class GuidedSettings:
    """How policy and search share the work."""

    rungs: tuple[int, ...] = (64, 256)
    """Numbers of units about which the policy is asked."""
    num_samples: int = 30
    """Draws on each rung that are tried as starts; 0: the policy gives no starts."""
    rounds: int = 1
    """Times that the policy is asked again about the best plan so far, on every rung."""
    start_share: float = 0.05
    """Of the time, at most, for them."""
    patience: int = 150
    """Proposals from one answer of the policy; 0: it proposes no moves."""


def guided(
    problem: Problem,
    *,
    start: Plan | None = None,
    decided: tuple[str, ...] = DECISIONS,
    seconds: float,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: OnBest | None = None,
    should_stop: Callable[[], bool] | None = None,
    settings: GuidedSettings = GuidedSettings(),
    network: GraphOptimizer | None = None,
) -> Found:
    """The best plan of policy and search together, never worse than `start`, else the best quick baseline.

    Ends with the seconds, the evaluations or when told to stop. `network` is by default the shipped policy.
    """
    began = time.monotonic()
    network = network or read_weights()
    first = first_decisions(problem, start or quick_start(problem, generator), decided)
    history = [(time.monotonic() - began, 1, first.step_us)]
    rivals = settings.num_samples > 0 and "placement" in decided
    limits = settings.start_share * seconds, settings.start_share * (evaluations or np.inf)
    best, spent = (
        _started(problem, network, first, decided, settings, limits, generator) if rivals else (first, 1)
    )
    if on_best is not None:
        on_best(best.decisions.plan, best.step_us)
    used = time.monotonic() - began
    found = search_plan(
        problem,
        start=best.decisions.plan,
        decided=decided,
        seconds=max(seconds - used, 0.0),
        evaluations=None if evaluations is None else max(evaluations - spent, 0),
        generator=generator,
        on_best=on_best,
        should_stop=should_stop,
        extra_moves=_moves(problem, network, decided, settings, by_count=evaluations is not None),
    )
    later = [(used + at, spent + count, step_us) for at, count, step_us in found.history]
    history += [entry for entry in later if entry[2] != first.step_us]
    return Found(found.plan, found.step_us, spent + found.evaluations, time.monotonic() - began, history)


def _started(
    problem: Problem,
    network: GraphOptimizer,
    first: Judged,
    decided: tuple[str, ...],
    settings: GuidedSettings,
    limits: tuple[float, float],
    generator: np.random.Generator,
) -> tuple[Judged, int]:
    """The best of the start and the policy's plans, and the simulations; `limits`: seconds, simulations."""
    began = time.monotonic()
    best, spent = first, 1
    for max_units in settings.rungs * settings.rounds:
        if time.monotonic() - began > limits[0] or spent > limits[1]:
            break
        device = best.decisions.device
        drawn = _drawn(problem, network, max_units, decided, settings.num_samples, generator, device)
        spent += settings.num_samples + 1
        best = min(best, first_decisions(problem, drawn, decided), key=lambda one: one.key)
    return best, spent


def _moves(
    problem: Problem,
    network: GraphOptimizer,
    decided: tuple[str, ...],
    settings: GuidedSettings,
    *,
    by_count: bool,
) -> dict[str, Move]:
    if not settings.patience or "placement" not in decided or problem.num_devices == 1:
        return {}
    moves: dict[str, Move] = {}
    for max_units in settings.rungs:
        moves |= policy_moves(Adviser(problem, network, max_units, settings.patience, by_count))
    return moves


def _drawn(
    problem: Problem,
    network: GraphOptimizer,
    max_units: int,
    decided: tuple[str, ...],
    num_samples: int,
    generator: np.random.Generator,
    base: np.ndarray,
) -> Plan:
    """The best of the policy's most probable plan and its draws."""
    case = case_of(problem, max_units, base)
    draws = torch.Generator().manual_seed(int(generator.integers(2**62)))
    with torch.no_grad():
        log_probs = network(case.inputs, decided)
    parts = [
        draw(log_probs, -(-num_samples // len(SHARPNESS)), draws, sharpness=sharpness)
        for sharpness in SHARPNESS
    ]
    actions = torch.cat([most_probable(log_probs), *parts])
    simulated(case, decided, actions, network.settings.num_levels)
    assert case.best_plan is not None
    return case.best_plan
