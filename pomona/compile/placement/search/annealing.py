"""Simulated annealing over placement, priorities and fusion; neighbourhoods are chosen by what they gain."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Judged, first_decisions, judged, quick_start
from pomona.compile.placement.search.levels import levels_of
from pomona.compile.placement.search.neighbourhoods import (
    FUSION_MOVES,
    PLACEMENT_MOVES,
    SCHEDULING_MOVES,
    Move,
    View,
)
from pomona.compile.placement.settings import DECISIONS

FIRST_TEMPERATURE = 0.015
LAST_TEMPERATURE = 2e-5
"""In parts of the best step; a plan worse by this much is taken with chance 1/e."""
FULL_LENGTH = 2.5
"""Evaluations a node from which on the first temperature is used; shorter searches begin colder."""
LEAST_CHANCE = 0.03
"""Of each neighbourhood."""
MEMORY = 0.995
"""What is left of a neighbourhood's record after each of its moves."""

OnBest = Callable[[Plan, float], None]


def search_plan(
    problem: Problem,
    *,
    start: Plan | None = None,
    decided: tuple[str, ...] = DECISIONS,
    seconds: float = 10.0,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: OnBest | None = None,
    should_stop: Callable[[], bool] | None = None,
    extra_moves: Mapping[str, Move] = MappingProxyType({}),
) -> Found:
    """The best plan found from `start` (else the best quick baseline) within `seconds` and `evaluations`.

    Only what is `decided` changes: placement, scheduling, fusion. `on_best` is called with every better plan.
    With `evaluations` and enough seconds the result depends on the generator alone. A plan that fits in
    memory always counts as better than one that does not. `extra_moves` compete with the search's own.
    """
    began = time.monotonic()
    if start is None:
        start = quick_start(problem, generator)
    here = first_decisions(problem, start, decided)
    expected = _expected(seconds, evaluations, problem, here)
    heat = min(expected / (FULL_LENGTH * problem.graph.num_nodes), 1.0)
    pace = _Pace(began, max(seconds, 0.0), evaluations, should_stop, heat)
    trail = _Trail(here, began, on_best)
    moves = {**_moves(problem, decided), **extra_moves}
    view = View(problem, levels_of(problem, max(expected, 64)), here, "fusion" in decided)
    if moves:
        _anneal(view, moves, pace, trail, generator)
    best, spent = trail.best, time.monotonic() - began
    return Found(best.decisions.plan, best.step_us, pace.count, spent, trail.history)


def _anneal(
    view: View, moves: dict[str, Move], pace: "_Pace", trail: "_Trail", generator: np.random.Generator
) -> None:
    records = _Records(moves)
    while not pace.is_over():
        name = records.draw(generator)
        decisions = moves[name](view, generator)
        if decisions is None:
            records.note(name, 0.0, 0.2)
            pace.idle += 1
            continue
        there = judged(view.problem, decisions)
        pace.count += 1
        gain = (view.here.objective - there.objective) / trail.best.objective
        if gain >= 0 or generator.random() < np.exp(gain / pace.temperature()):
            view = View(view.problem, view.levels, there, view.can_fuse)
        is_better = trail.note(there, pace.count)
        records.note(name, max(gain, 0.0) * (3.0 if is_better else 1.0), 1.0)
        if pace.should_return(trail):
            view = View(view.problem, view.levels, trail.best, view.can_fuse)


@dataclass
class _Pace:
    """How much of the search is done: the larger part of seconds and evaluations."""

    began: float
    seconds: float
    evaluations: int | None
    should_stop: Callable[[], bool] | None
    heat: float
    count: int = 0
    idle: int = 0
    returned: int = 0

    def done(self) -> float:
        if self.evaluations is not None:
            return self.count / max(self.evaluations, 1)
        return (time.monotonic() - self.began) / max(self.seconds, 1e-9)

    def is_over(self) -> bool:
        if time.monotonic() - self.began >= self.seconds or (self.should_stop and self.should_stop()):
            return True
        # moves that find nothing to do cost no evaluation but must not go on for ever
        return self.done() >= 1 or self.idle > 1000 + 20 * self.count

    def temperature(self) -> float:
        first = max(FIRST_TEMPERATURE * self.heat, LAST_TEMPERATURE)
        return first * (LAST_TEMPERATURE / first) ** min(self.done(), 1.0)

    def should_return(self, trail: "_Trail") -> bool:
        # from time to time the best is gone on with, the more often the colder it is
        wait = 200 + 2000 * (1 - self.done())
        if self.count - max(trail.found_at, self.returned) < wait:
            return False
        self.returned = self.count
        return True


@dataclass
class _Trail:
    """The best so far and when it was found."""

    best: Judged
    began: float
    on_best: OnBest | None
    found_at: int = 0
    history: list[tuple[float, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(self.best, 0)

    def note(self, there: Judged, count: int) -> bool:
        if there.key >= self.best.key:
            return False
        self._keep(there, count)
        return True

    def _keep(self, there: Judged, count: int) -> None:
        self.best, self.found_at = there, count
        self.history.append((time.monotonic() - self.began, count, there.step_us))
        if self.on_best is not None:
            self.on_best(there.decisions.plan, there.step_us)


class _Records:
    """What each neighbourhood has gained lately for each evaluation; the chance of each follows it."""

    def __init__(self, moves: dict[str, Move]):
        self.gained = dict.fromkeys(moves, 1e-3)
        self.spent = dict.fromkeys(moves, 1.0)

    def draw(self, generator: np.random.Generator) -> str:
        rates = [self.gained[name] / self.spent[name] for name in self.gained]
        total = max(sum(rates), 1e-300)
        even = len(rates) * LEAST_CHANCE
        at = float(generator.random())
        for name, rate in zip(self.gained, rates, strict=True):
            at -= LEAST_CHANCE + max(1 - even, 0.0) * rate / total
            if at < 0:
                return name
        return next(iter(self.gained))

    def note(self, name: str, gain: float, spent: float) -> None:
        self.gained[name] = self.gained[name] * MEMORY + gain
        self.spent[name] = self.spent[name] * MEMORY + spent


def _moves(problem: Problem, decided: tuple[str, ...]) -> dict[str, Move]:
    can_place = "placement" in decided and problem.num_devices > 1
    return {
        **(PLACEMENT_MOVES if can_place else {}),
        **(SCHEDULING_MOVES if "scheduling" in decided else {}),
        **(FUSION_MOVES if "fusion" in decided else {}),
    }


def _expected(seconds: float, evaluations: int | None, problem: Problem, here: Judged) -> int:
    # how many evaluations there will be; what cannot each be tried once is moved in coarser pieces
    if evaluations is not None:
        return evaluations
    began = time.perf_counter()
    judged(problem, here.decisions)
    return int(seconds / max(1.5 * (time.perf_counter() - began), 1e-6))
