"""Policy and local search under one clock: the policy says where else to begin, trials say where to go on.

The search's own start is annealed, and beside it the policy's best draw; both have moves that draw the fusion
or order of a stretch anew by its chances. The walk that promises less after a trial is given up, the
other goes on. Where there is too little time to move every node, the trials leave out the hottest part of the
cooling, which a search from a fair start does as well without: if the policy is of no use, little is lost.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.network import GraphOptimizer, draw, most_probable
from pomona.compile.placement.policy.ppo import case_of, simulated
from pomona.compile.placement.policy.weights import read_weights
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.annealing import Trail, expected_evaluations
from pomona.compile.placement.search.decisions import Judged, first_decisions, quick_start
from pomona.compile.placement.search.neighbourhoods import Move
from pomona.compile.placement.search.policy_moves import Advice, advice_of, in_bytes, policy_moves
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
    """Draws on each rung; 0: the policy is not asked, and the search is search_plan's."""
    draw_share: float = 0.05
    """Of seconds or evaluations after which no further rung is begun."""
    trial_share: float = 0.2
    """Of seconds or evaluations, for the trials."""
    trial_part: float = 0.2
    """Of the cooling, that trials go through."""
    most_skipped: float = 0.2
    """Of the cooling, before the trials: of it as much as the first temperature is below the full one."""


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
) -> Found:
    """The best plan of policy and search together, never worse than `start`, else the best quick baseline.

    Ends with the seconds of `clock`, the evaluations or when told to stop. `network` is by default the
    shipped policy. Without `placement` among the decided the policy is not asked.
    """
    began = clock()
    first = first_decisions(problem, start or quick_start(problem, generator), decided)
    expected = expected_evaluations(problem, first, seconds, evaluations, clock)
    trail = Trail(first, clock, began, on_best)
    race = _Race(problem, decided, expected, seconds, evaluations, should_stop, trail)
    if settings.num_samples and "placement" in decided and problem.num_devices > 1:
        drawing, walking = generator.spawn(2)
        answers = _asked(race, network or read_weights(), first, settings, drawing)
        rival = min((one.plan for one in answers), key=lambda plan: plan.key)
        trail.note(rival, race.drawn)
        moves = {name: move for one in answers for name, move in policy_moves(one.advice).items()}
        race.enter(first, generator, moves)
        race.enter(rival, walking, moves)
        skipped = settings.most_skipped * (1 - race.walks[0].heat)
        winner = race.winner(settings.trial_share, skipped, skipped + settings.trial_part)
        race.finish(winner, skipped + settings.trial_part)
    else:
        race.enter(first, generator, {})
        race.finish(race.walks[0], 0.0)
    return trail.found(race.count())


@dataclass(eq=False)
class _Race:
    """Walks from several starts that share seconds and evaluations."""

    problem: Problem
    decided: tuple[str, ...]
    expected: int
    seconds: float
    evaluations: int | None
    should_stop: Callable[[], bool] | None
    trail: Trail
    walks: list[Walk] = field(default_factory=list)
    drawn: int = 0

    def count(self) -> int:
        """All simulations so far."""
        return self.drawn + sum(walk.count for walk in self.walks)

    def elapsed(self) -> float:
        return self.trail.clock() - self.trail.began

    def enter(self, first: Judged, generator: np.random.Generator, moves: Mapping[str, Move]) -> None:
        """A walk more."""
        self.walks.append(
            Walk(
                self.problem,
                first,
                self.decided,
                self.expected,
                generator,
                on_better=lambda there: self.trail.note(there, self.count()),
                extra_moves=moves,
            )
        )

    def winner(self, share: float, first: float, last: float) -> Walk:
        """The walk that promises most after a trial, the earlier of two that promise the same.

        All trials together take a `share`; they go through the cooling from `first` to `last`.
        """
        return min(self.walks, key=lambda walk: self._promise(walk, share / len(self.walks), first, last))

    def finish(self, walk: Walk, from_part: float) -> None:
        """The rest of the cooling in what is left."""
        left = None if self.evaluations is None else max(self.evaluations - self.count(), 0)
        self._go(walk, self.seconds - self.elapsed(), left, from_part, 1.0)

    def _promise(self, walk: Walk, share: float, first: float, last: float) -> float:
        """Where a walk would be if it gained once more what it gained in the later half of its trial."""
        half = (first + last) / 2
        evaluations = None if self.evaluations is None else int(self.evaluations * share / 2)
        self._go(walk, self.seconds * share / 2, evaluations, first, half)
        before = walk.best.objective
        self._go(walk, self.seconds * share / 2, evaluations, half, last)
        return walk.best.objective**2 / before

    def _go(self, walk: Walk, seconds: float, evaluations: int | None, first: float, last: float) -> None:
        walk.go(Stage(max(seconds, 0.0), evaluations, self.should_stop, first, last, self.trail.clock))


@dataclass(frozen=True, eq=False)
class _Answer:
    """The best of the policy's most probable plan and its draws, and what it would have elsewhere."""

    plan: Judged
    advice: Advice


def _asked(
    race: _Race,
    network: GraphOptimizer,
    first: Judged,
    settings: GuidedSettings,
    generator: np.random.Generator,
) -> list[_Answer]:
    """Answers about the first plan's placement, or about a better one that an earlier answer made."""
    answers: list[_Answer] = []
    began = race.trail.clock()
    for max_units in settings.rungs:
        if answers and race.trail.clock() - began > settings.draw_share * race.seconds:
            break
        if race.drawn > settings.draw_share * (race.evaluations or np.inf):
            break
        best = min([first, *(one.plan for one in answers)], key=lambda plan: plan.key)
        base = best.decisions.device
        answers.append(_answer(race, network, max_units, settings.num_samples, generator, base))
        race.drawn += settings.num_samples + 1
    return answers


def _answer(
    race: _Race,
    network: GraphOptimizer,
    max_units: int,
    num_samples: int,
    generator: np.random.Generator,
    base: np.ndarray,
) -> _Answer:
    case = case_of(race.problem, max_units, base)
    draws = torch.Generator().manual_seed(int(generator.integers(2**62)))
    with torch.no_grad():
        log_probs = network(case.inputs, race.decided)
    parts = [
        draw(log_probs, -(-num_samples // len(SHARPNESS)), draws, sharpness=sharpness)
        for sharpness in SHARPNESS
    ]
    actions = torch.cat([most_probable(log_probs), *parts])
    simulated(case, race.decided, actions, network.settings.num_levels)
    assert case.best_plan is not None
    fusion = None if case.best_fusion is None else in_bytes(case.best_fusion, race.problem)
    plan = first_decisions(race.problem, case.best_plan, race.decided, fusion)
    return _Answer(plan, advice_of(case.features, race.decided, log_probs))
