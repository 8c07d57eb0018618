"""The splits of a stress test: the clean one, and the stresses beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError, unknown_name
from pomona.foundation.randomness import stream
from pomona.question.stress.settings import StressSettings
from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.families import FAMILIES
from pomona.tasks.source import FiniteSource, Source, SubsetSource
from pomona.tasks.task import Task

LEAST_EXAMPLES = 20
"""On fewer, one example more or less moves the score by more than 5 points: nothing can be told."""


@dataclass(frozen=True, eq=False)
class Splits:
    """What the models are scored on."""

    clean: FiniteSource
    stresses: dict[str, FiniteSource]

    def pairs(self, name: str) -> Int[np.ndarray, " batch"] | None:
        """The positions of the clean examples that a stress was made from; None where it has its own."""
        source = self.stresses[name]
        if isinstance(source, ChangedSource) and source.source is self.clean:
            return np.arange(self.clean.size)
        if isinstance(source, SubsetSource) and source.source is self.clean:
            return source.ids
        return None


def make_splits(task: Task, settings: StressSettings, *, seed: int) -> Splits:
    """The splits of a task as the settings ask. Raises DataError where there are no stresses or too few
    examples."""
    source = _limited(clean(task, seed), settings.examples, seed)
    limited = replace(task, splits={**task.splits, "test": source})
    found: dict[str, Source] = {}
    for name in settings.families or FAMILIES:
        if name not in FAMILIES:
            raise unknown_name("family of stresses", name, FAMILIES)
        found |= FAMILIES[name](limited, seed)
    if not found:
        raise DataError(
            f"no stress fits the inputs of {task.name} ({', '.join(f.kind for f in task.inputs.values())}): "
            "bring a split with --shifted or a function with --stress"
        )
    return Splits(source, _checked({"test": source, **found}))


def _limited(source: FiniteSource, most: int, seed: int) -> FiniteSource:
    if source.size <= most:
        return source
    ids = np.sort(stream(seed, "stress", "examples").permutation(source.size)[:most])
    return SubsetSource(source, ids)


def _checked(splits: Mapping[str, Source]) -> dict[str, FiniteSource]:
    for name, source in splits.items():
        if source.size is None or source.size < LEAST_EXAMPLES:
            raise DataError(
                f"the split {name!r} has {source.size or 'endless'} examples; "
                f"a stress test needs at least {LEAST_EXAMPLES} of them"
            )
    return {name: source for name, source in splits.items() if name != "test"}  # type: ignore[misc]
