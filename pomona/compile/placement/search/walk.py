"""One annealing that can be gone on with: where it stands, the best it found, what its moves have gained."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Judged, judged
from pomona.compile.placement.search.levels import levels_of
from pomona.compile.placement.search.neighbourhoods import (
    FUSION_MOVES,
    PLACEMENT_MOVES,
    SCHEDULING_MOVES,
    Move,
    View,
)

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
Clock = Callable[[], float]
"""Seconds from any beginning."""


@dataclass
class Stage:
    """A part of the cooling, from `first` to `last` of its whole, in the seconds or evaluations given."""

    seconds: float
    evaluations: int | None = None
    should_stop: Callable[[], bool] | None = None
    first: float = 0.0
    last: float = 1.0
    clock: Clock = time.monotonic
    count: int = 0
    idle: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock()

    def done(self) -> float:
        """How much of the whole cooling is over."""
        part = self.count / max(self.evaluations, 1) if self.evaluations is not None else self._elapsed()
        return self.first + (self.last - self.first) * part

    def is_over(self) -> bool:
        """Whether seconds or evaluations have run out, or somebody says stop."""
        if self.clock() - self.began >= self.seconds or (self.should_stop and self.should_stop()):
            return True
        # moves that find nothing to do cost no evaluation but must not go on for ever
        return self.done() >= self.last or self.idle > 1000 + 20 * self.count

    def _elapsed(self) -> float:
        return (self.clock() - self.began) / max(self.seconds, 1e-9)


class Walk:
    """Simulated annealing from `first`, stage by stage.

    `expected` is how many evaluations there will be; `extra_moves` compete with the search's own.
    """

    def __init__(
        self,
        problem: Problem,
        first: Judged,
        decided: tuple[str, ...],
        expected: int,
        generator: np.random.Generator,
        *,
        on_better: Callable[[Judged], None],
        extra_moves: Mapping[str, Move] = MappingProxyType({}),
    ):
        self.best = first
        self.count = self.found_at = self.returned = 0
        self.generator, self.on_better = generator, on_better
        self.heat = min(expected / (FULL_LENGTH * problem.graph.num_nodes), 1.0)
        self.moves = {**_moves(problem, decided), **extra_moves}
        self.records = _Records(self.moves)
        self.view = View(problem, levels_of(problem, max(expected, 64)), first, "fusion" in decided)

    def go(self, stage: Stage) -> None:
        """Takes moves until the stage is over."""
        while self.moves and not stage.is_over():
            self._step(stage)

    def _step(self, stage: Stage) -> None:
        view, name = self.view, self.records.draw(self.generator)
        decisions = self.moves[name](view, self.generator)
        if decisions is None:
            self.records.note(name, 0.0, 0.2)
            stage.idle += 1
            return
        there = judged(view.problem, decisions)
        stage.count += 1
        self.count += 1
        gain = (view.here.objective - there.objective) / self.best.objective
        if gain >= 0 or self.generator.random() < np.exp(gain / self._temperature(stage)):
            self.view = View(view.problem, view.levels, there, view.can_fuse)
        is_better = there.key < self.best.key
        if is_better:
            self.best, self.found_at = there, self.count
            self.on_better(there)
        self.records.note(name, max(gain, 0.0) * (3.0 if is_better else 1.0), 1.0)
        if self._should_return(stage):
            self.view = View(view.problem, view.levels, self.best, view.can_fuse)

    def _temperature(self, stage: Stage) -> float:
        first = max(FIRST_TEMPERATURE * self.heat, LAST_TEMPERATURE)
        return first * (LAST_TEMPERATURE / first) ** min(stage.done(), 1.0)

    def _should_return(self, stage: Stage) -> bool:
        # from time to time the best is gone on with, the more often the colder it is
        wait = 200 + 2000 * (1 - stage.done())
        if self.count - max(self.found_at, self.returned) < wait:
            return False
        self.returned = self.count
        return True


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
