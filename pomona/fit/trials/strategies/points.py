"""New points: drawn or changed until one comes up that was not tried."""

import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from pomona.fit.trials.strategies.strategy import SearchSpace, Suggestion
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import InputError

MAX_DRAWS = 100
"""Draws of known points in a row after which a space, or what is near a point, counts as exhausted."""


def known_keys(trials: Sequence[Trial]) -> set[str]:
    """The keys of all points that were tried, whatever became of them."""
    return {trial.genome_hash for trial in trials}


def repeated(trials: Sequence[Trial], key: str) -> int:
    """The seed for one more evaluation of a point: how often it was evaluated."""
    return sum(trial.genome_hash == key for trial in trials)


def paid(
    space: SearchSpace, trials: Sequence[Trial], point: Any, parents: tuple[int, ...] = (), mutation: str = ""
) -> Suggestion:
    """`point` as it is: a known one costs one more evaluation, with a fresh seed."""
    return Suggestion(point, repeated(trials, space.key(point)), parents, mutation)


def fresh_sample(space: SearchSpace, known: Collection[str], generator: np.random.Generator) -> Any | None:
    """A random point that is not known; None when only known ones come up."""
    return _fresh(lambda: space.sample(generator), space, known)


def fresh_mutation(
    space: SearchSpace, point: Any, known: Collection[str], generator: np.random.Generator
) -> Any | None:
    """`point` with one thing changed, not known; None when only known ones come up or nothing can change."""
    return _fresh(lambda: space.mutate(point, generator), space, known)


def fresh_mutations(
    space: SearchSpace,
    point: Any,
    known: Collection[str],
    generator: np.random.Generator,
    *,
    num_points: int,
    further: float = 0.0,
) -> dict[str, Any]:
    """Up to `num_points` different points by key, none known: `point` with one thing changed in all of them,
    and as often as `further` says with one thing more, and so on.

    There are fewer when they are rare, and none when only known ones come up or nothing can change.
    """
    found: dict[str, Any] = {}
    while further and generator.random() < further:
        with contextlib.suppress(InputError):
            point = space.mutate(point, generator)
    for draw in range(MAX_DRAWS):
        if len(found) == num_points or (found and draw >= 3 * num_points):
            break
        try:
            mutated = space.mutate(point, generator)
        except InputError:
            break
        key = space.key(mutated)
        if key not in known:
            found[key] = mutated
    return found


def fresh_cross(
    space: SearchSpace, a: Any, b: Any, known: Collection[str], generator: np.random.Generator
) -> Any | None:
    """Two points joined, not known; None when only known ones come up or the space cannot join."""
    cross = getattr(space, "cross", None)
    return None if cross is None else _fresh(lambda: cross(a, b, generator), space, known)


def random_suggestion(
    space: SearchSpace, trials: Sequence[Trial], known: Collection[str], generator: np.random.Generator
) -> Suggestion:
    """A random point that is not known, or any with a fresh seed when the space is exhausted."""
    point = fresh_sample(space, known, generator)
    if point is None:
        return paid(space, trials, space.sample(generator), mutation="drawn at random, again")
    return Suggestion(point, mutation="drawn at random")


def _fresh(draw: Callable[[], Any], space: SearchSpace, known: Collection[str]) -> Any | None:
    for _ in range(MAX_DRAWS):
        try:
            point = draw()
        except InputError:
            return None
        if space.key(point) not in known:
            return point
    return None
