"""What a strategy is: a plain function from a space and the trials so far to a suggestion.

A strategy keeps nothing between calls: all it knows is in the trials, so that any trainer can make the next
suggestion and a stopped search goes on as if it had never stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import SettingError


class SearchSpace(Protocol):
    """What can be tried. A point is JSON data, as trials keep it in `genome`, and `key` of a trial's point is
    its `genome_hash`.

    A space whose points can be joined also has `cross(a, b, generator) -> point`.
    """

    def sample(self, generator: np.random.Generator) -> Any:
        """A point drawn at random."""
        ...

    def mutate(self, point: Any, generator: np.random.Generator) -> Any:
        """`point` with one thing changed. Raises an InputError when nothing can be."""
        ...

    def key(self, point: Any) -> str:
        """A text that is equal for equal points and for no others."""
        ...

    def features(self, point: Any) -> Float[np.ndarray, " feature"]:
        """Numbers of about unit range that say what the point is; as many for every point of the space."""
        ...


@dataclass(frozen=True)
class Suggestion:
    """What to try next: a point that was not tried yet when `seed` is 0, else a known one with a fresh seed.

    `parents` are numbers of the trials it was made from, `mutation` says in words how.
    """

    point: Any
    seed: int = 0
    parents: tuple[int, ...] = ()
    mutation: str = ""


@dataclass(frozen=True)
class StrategySettings:
    """How strategies search; each heeds what concerns it."""

    num_trials: int = 200
    """The budget, as far as it is known in advance: schedules end with it."""

    starts: int = 10
    """Points drawn at random before the beam grows from the best of them."""

    beam_width: int = 5
    """Best points of which one is changed to make the next, once the beam is at its widest."""

    widen_every: int = 15
    """Completed trials after which the beam, at first the best point alone, takes in one more."""

    reevaluations: float = 0.12
    """Share of the budget that evaluates the leading points again with fresh seeds."""

    deduplicate: bool = True
    """Never suggest a known point as a new one. The published strategies do not care."""

    surrogate: bool = True
    """Let a cheap model of the scores so far choose among several mutations."""

    candidates: int = 16
    """Mutations that the model chooses from."""

    further: float = 0.15
    """How often a change begins one step away from the parent, and of these two steps, and so on: single
    changes alone get stuck where every one of them makes the best point worse."""

    population: int = 10
    """Latest trials that evolution chooses parents from; Real et al. (2019) used 100 for large budgets."""

    sample: int = 3
    """Rivals of whom the best becomes a parent in evolution; Real et al. (2019) used 25 for large budgets."""

    objectives: tuple[str, ...] = ("score",)
    """What "pareto" weighs: "score", made as large as can be, and names of trials' values, made as small."""

    def __post_init__(self) -> None:
        least = {
            "num_trials": 1,
            "starts": 1,
            "beam_width": 1,
            "widen_every": 1,
            "candidates": 1,
            "population": 2,
            "sample": 1,
        }
        for name, wanted in least.items():
            if getattr(self, name) < wanted:
                raise SettingError(f"{name} must be at least {wanted}, got {getattr(self, name)}")
        if not 0 <= self.reevaluations < 1:
            raise SettingError(f"reevaluations must be at least 0 and below 1, got {self.reevaluations}")
        if not 0 <= self.further < 1:
            raise SettingError(f"further must be at least 0 and below 1, got {self.further}")
        if not self.objectives:
            raise SettingError("objectives must name at least one: give score")


Strategy = Callable[[SearchSpace, Sequence[Trial], np.random.Generator, StrategySettings], Suggestion]
