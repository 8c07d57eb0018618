"""Policy and local search under one clock: the policy says where else to begin, and short trials where to go on.

The search's own start is annealed with the same draws as by search_plan, the policy's best draw beside it. Both
go through the first and hottest part of the cooling in a hurry; the one that promises less is then given up,
and the other goes on as if nothing had been. Where the policy is of no use, that hurry is all it costs.
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
from pomona.compile.placement.search.annealing import Trail, expected_evaluations
from pomona.compile.placement.search.decisions import Judged, first_decisions, quick_start
from pomona.compile.placement.search.policy_moves import Adviser, policy_moves
from pomona.compile.placement.search.walk import Clock, OnBest, Stage, Walk
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
    draw_share: float = 0.05
    """Of the time, at most, for them."""
    trial_part: float = 0.25
    """Of the cooling, that both starts go through before one is given up."""
    trial_share: float = 0.25
    """Of the time, for that."""
    patience: int = 0
    unit_moves: bool = False


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
    clock: Clock = time.monotonic,
    log=None,
) -> Found:
    began = clock()
    network = network or read_weights()
    first = first_decisions(problem, start or quick_start(problem, generator), decided)
    trail = Trail(first, clock, began, on_best)
    expected = expected_evaluations(problem, first, seconds, evaluations, clock)
    drawing, walking = generator.spawn(2)
    count = [0]
    extra = {}
    if settings.patience:
        for u in settings.rungs: extra |= policy_moves(Adviser(problem, network, u, settings.patience, evaluations is not None))

    def better(there):
        trail.note(there, count[0] + sum(w.count for w in walks))

    walks = []
    walks.append(Walk(problem, first, decided, expected, generator, extra_moves=extra, on_better=better))
    if settings.num_samples > 0 and "placement" in decided:
        rival, spent = _rival(problem, network, first, decided, settings, seconds, evaluations, drawing, clock)
        count[0] += spent
        if rival is not None:
            trail.note(rival, count[0])
            walks.append(Walk(problem, rival, decided, expected, walking, extra_moves=extra, on_better=better))
    part = 0.0
    if len(walks) > 1:
        part = settings.trial_part
        share = settings.trial_share / len(walks) / 2
        promises = []
        for walk in walks:
            bests = []
            for half in (0, 1):
                walk.go(Stage(seconds * share, None if evaluations is None else int(evaluations * share), should_stop, part * half / 2, part * (half + 1) / 2, clock))
                bests.append(walk.best.objective)
            promises.append(bests[1] ** 2 / bests[0])
            if log is not None: log.append((walk is walks[0], [round(b/1e3,2) for b in bests]))
        walks = [walks[int(np.argmin(promises))]] + [w for i, w in enumerate(walks) if i != int(np.argmin(promises))]
    left = seconds - (clock() - began)
    spent = count[0] + sum(w.count for w in walks)
    walks[0].go(Stage(max(left, 0.0), None if evaluations is None else max(evaluations - spent, 0), should_stop, part, 1.0, clock))
    return trail.found(count[0] + sum(w.count for w in walks))


def _rival(problem, network, first, decided, settings, seconds, evaluations, generator, clock):
    began = clock()
    best, spent = None, 0
    device = first.decisions.device
    for max_units in settings.rungs:
        if clock() - began > settings.draw_share * seconds or (evaluations and spent > settings.draw_share * evaluations):
            break
        drawn = _drawn(problem, network, max_units, decided, settings.num_samples, generator, device)
        spent += settings.num_samples + 1
        one = first_decisions(problem, drawn, decided)
        if best is None or one.key < best.key: best = one
        device = best.decisions.device if best.key < first.key else device
    return best, spent


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
