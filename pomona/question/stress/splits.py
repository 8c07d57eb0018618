"""The splits of a stress test: the clean one, and the stresses beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError, InputError, unknown_name
from pomona.foundation.randomness import stream
from pomona.question.stress.settings import StressSettings
from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.contrastive import PairSource
from pomona.question.stresses.families import FAMILIES
from pomona.question.stresses.shifted import shifted
from pomona.question.stresses.stratified import stratified
from pomona.question.stresses.user import user_stresses
from pomona.tasks.batch import check_batch
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
        return self._places(source.first if isinstance(source, PairSource) else source)

    def _places(self, source: FiniteSource) -> Int[np.ndarray, " batch"] | None:
        if source is self.clean:
            return np.arange(self.clean.size)
        if isinstance(source, ChangedSource):
            return self._places(source.source)
        if isinstance(source, SubsetSource):
            places = self._places(source.source)
            return None if places is None else places[source.ids]
        return None


def make_splits(task: Task, settings: StressSettings, *, seed: int) -> Splits:
    """The splits of a task as the settings ask.

    Raises DataError where there are no stresses, where one has too few examples, other classes or other
    shapes, and SettingError for an unknown family or column.
    """
    source = _limited(clean(task, seed), settings.examples, seed)
    limited = replace(task, splits={**task.splits, "test": source})
    found: dict[str, Source] = {}
    for name in settings.families or FAMILIES:
        if name not in FAMILIES:
            raise unknown_name("family of stresses", name, FAMILIES)
        found |= FAMILIES[name](limited, seed)
    if settings.by:
        found |= stratified(limited, seed, by=settings.by)
    if settings.shifted:
        found |= shifted(limited, seed, paths=settings.shifted)
    if settings.stress is not None:
        found |= _own(settings, limited, seed)
    if not found:
        raise DataError(
            f"no stress fits the inputs of {task.name} ({', '.join(f.kind for f in task.inputs.values())}): "
            "bring a split with --shifted or a function with --stress"
        )
    return Splits(source, _checked({"test": source, **found}))


def _own(settings: StressSettings, task: Task, seed: int) -> dict[str, Source]:
    """The user's own stresses, the first examples of each checked."""
    assert settings.stress is not None
    found = user_stresses(settings.stress, task, seed)
    for name, source in found.items():
        try:
            if not isinstance(source, FiniteSource) or source.size is None:
                raise DataError("it should be a source of so many examples")
            check_batch(source.read(np.arange(min(source.size, 4))), {**task.inputs, **task.targets})
        except InputError as error:
            raise DataError(f"the stress {name!r} of {settings.stress}: {error}") from None
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise DataError(f"the stress {name!r} of {settings.stress} fails: {reason}") from error
    return found


def _limited(source: FiniteSource, most: int, seed: int) -> FiniteSource:
    if source.size <= most:
        return source
    ids = np.sort(stream(seed, "stress", "examples").permutation(source.size)[:most])
    return SubsetSource(source, ids)


def _checked(splits: Mapping[str, Source]) -> dict[str, FiniteSource]:
    """The stresses, whose sizes are known and large enough."""
    kept: dict[str, FiniteSource] = {}
    for name, source in splits.items():
        if not isinstance(source, FiniteSource) or source.size is None or source.size < LEAST_EXAMPLES:
            raise DataError(
                f"the split {name!r} has {source.size or 'endless'} examples; "
                f"a stress test needs at least {LEAST_EXAMPLES} of them"
            )
        kept[name] = source
    return {name: source for name, source in kept.items() if name != "test"}
