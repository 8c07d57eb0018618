"""Simulated annealing over placement, priorities and fusion; neighbourhoods are chosen by what they gain."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Judged, first_decisions, judged, quick_start
from pomona.compile.placement.search.walk import Clock, OnBest, Stage, Walk
from pomona.compile.placement.settings import DECISIONS


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
    clock: Clock = time.monotonic,
) -> Found:
    """The best plan found from `start` (else the best quick baseline) within `seconds` and `evaluations`.

    Only what is `decided` changes: placement, scheduling, fusion. `on_best` is called with every better plan.
    With `evaluations` and enough seconds the result depends on the generator alone. A plan that fits in
    memory always counts as better than one that does not.
    `clock` says what seconds are: the day's, or a processor's that others use too.
    """
    began = clock()
    first = first_decisions(problem, start or quick_start(problem, generator), decided)
    trail = Trail(first, clock, began, on_best)
    walk = Walk(
        problem,
        first,
        decided,
        expected_evaluations(problem, first, seconds, evaluations, clock),
        generator,
        on_better=lambda there: trail.note(there, walk.count),
    )
    left = seconds - (clock() - began)
    walk.go(Stage(max(left, 0.0), evaluations, should_stop, clock=clock))
    return trail.found(walk.count)


def expected_evaluations(
    problem: Problem, here: Judged, seconds: float, evaluations: int | None, clock: Clock
) -> int:
    """How many there will be; what cannot each be tried once is moved in coarser pieces."""
    if evaluations is not None:
        return evaluations
    began = clock()
    judged(problem, here.decisions)
    return int(seconds / max(1.5 * (clock() - began), 1e-6))


@dataclass
class Trail:
    """The best so far and the way to it."""

    best: Judged
    clock: Clock
    began: float
    on_best: OnBest | None
    history: list[tuple[float, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(self.best, 0)

    def note(self, there: Judged, count: int) -> None:
        """Keeps a plan found after so many evaluations, if it is better."""
        if there.key < self.best.key:
            self._keep(there, count)

    def found(self, evaluations: int) -> Found:
        """What the search gives back."""
        best = self.best
        return Found(best.decisions.plan, best.step_us, evaluations, self.clock() - self.began, self.history)

    def _keep(self, there: Judged, count: int) -> None:
        self.best = there
        self.history.append((self.clock() - self.began, count, there.step_us))
        if self.on_best is not None:
            self.on_best(there.decisions.plan, there.step_us)
