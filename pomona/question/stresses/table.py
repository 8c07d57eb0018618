"""Tables as other sources fill them: missing values, columns swapped, in other units, or drifting."""

import functools
from collections.abc import Callable

import numpy as np

from pomona.foundation.randomness import stream
from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.columns import Column, columns_of
from pomona.question.stresses.strengths import STRENGTHS
from pomona.tasks.batch import Batch
from pomona.tasks.source import Source
from pomona.tasks.task import Task

TIMES = 10.0
"""The factor of a wrong unit."""


def table(task: Task, seed: int) -> dict[str, Source]:
    """Splits named STRESS-STRENGTH; none for a task without vectors.

    Which columns are swapped, rescaled or drift follows from the seed, and is the same for all examples.
    """
    columns = columns_of(task)
    source = clean(task, seed)
    found: dict[str, Source] = {}
    for name, stress in TABLE.items():
        usable = [column for column in columns if name == "missing" or column.kind == "numbers"]
        if len(usable) < (2 if name == "swapped" else 1):
            continue
        for place, strength in enumerate(STRENGTHS):
            split = f"{name}-{strength}"
            chosen = stress(usable, place, stream(seed, "stressed columns", split))
            found[split] = ChangedSource(source, chosen, split, seed)
    return found


def missing(columns: list[Column], place: int, generator: np.random.Generator) -> Callable[..., Batch]:
    """Every value is missing with a chance of 5, 15 or 40 %."""
    return functools.partial(_without, columns=columns, share=(0.05, 0.15, 0.4)[place])


def swapped(columns: list[Column], place: int, generator: np.random.Generator) -> Callable[..., Batch]:
    """One, two or four pairs of columns hold each other's numbers."""
    order = generator.permutation(len(columns))
    count = min((1, 2, 4)[place], len(columns) // 2)
    pairs = [(columns[order[2 * i]], columns[order[2 * i + 1]]) for i in range(count)]
    return functools.partial(_swapped, pairs=pairs)


def rescaled(columns: list[Column], place: int, generator: np.random.Generator) -> Callable[..., Batch]:
    """A tenth, a quarter or half of the columns (at least one) are ten times what they should be."""
    return functools.partial(_rescaled, columns=_some(columns, (0.1, 0.25, 0.5)[place], generator))


def drifted(columns: list[Column], place: int, generator: np.random.Generator) -> Callable[..., Batch]:
    """Half of the columns lie 0.5, 1 or 2 deviations higher or lower."""
    some = _some(columns, 0.5, generator)
    shifts = (0.5, 1.0, 2.0)[place] * generator.choice([-1.0, 1.0], len(some))
    return functools.partial(_drifted, columns=some, shifts=shifts)


TABLE: dict[str, Callable[..., Callable[..., Batch]]] = {
    "missing": missing,
    "swapped": swapped,
    "rescaled": rescaled,
    "drifted": drifted,
}


def _some(columns: list[Column], share: float, generator: np.random.Generator) -> list[Column]:
    count = max(round(share * len(columns)), 1)
    return [columns[index] for index in np.sort(generator.permutation(len(columns))[:count])]


def _without(batch: Batch, generator: np.random.Generator, *, columns: list[Column], share: float) -> Batch:
    changed = _copied(batch, columns)
    for column in columns:
        values = changed[column.input]
        gone = np.flatnonzero(generator.random(len(values)) < share)
        values[gone[:, None], list(column.places)] = 0.0
        if column.missing is not None:
            values[gone, column.missing] = 1.0
    return changed


def _swapped(batch: Batch, generator: np.random.Generator, *, pairs: list[tuple[Column, Column]]) -> Batch:
    changed = _copied(batch, [column for pair in pairs for column in pair])
    for first, second in pairs:
        one = first.raw(batch[first.input][:, first.places[0]])
        other = second.raw(batch[second.input][:, second.places[0]])
        changed[first.input][:, first.places[0]] = first.prepared(other)
        changed[second.input][:, second.places[0]] = second.prepared(one)
    return changed


def _rescaled(batch: Batch, generator: np.random.Generator, *, columns: list[Column]) -> Batch:
    changed = _copied(batch, columns)
    for column in columns:
        values = changed[column.input][:, column.places[0]]
        values[:] = column.prepared(TIMES * column.raw(values))
    return changed


def _drifted(
    batch: Batch, generator: np.random.Generator, *, columns: list[Column], shifts: np.ndarray
) -> Batch:
    changed = _copied(batch, columns)
    for column, shift in zip(columns, shifts, strict=True):
        changed[column.input][:, column.places[0]] += np.float32(shift)
    return changed


def _copied(batch: Batch, columns: list[Column]) -> Batch:
    return {**batch, **{name: batch[name].copy() for name in {column.input for column in columns}}}
