"""Groups of test examples: by class, by a column, by the groups that the data tells."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError, unknown_name
from pomona.question.stresses.clean import clean
from pomona.question.stresses.columns import Column, columns_of
from pomona.tasks.batch import Batch, join_batches
from pomona.tasks.source import FiniteSource, Source, SubsetSource, batches
from pomona.tasks.task import Task

LEAST_EXAMPLES = 20
"""Smaller groups are left out: one example more or less would move their score by more than 5 points."""

MOST_GROUPS = 20
"""Of one column; of a column with more, no groups are made unless it is asked for."""

QUARTERS = ("lowest", "low", "high", "highest")


def stratified(task: Task, seed: int, *, by: Sequence[str] = ()) -> dict[str, Source]:
    """Splits named COLUMN=GROUP.

    `by` names targets, columns of a table and `group`; numbers are cut into quarters. Without it, these are
    the classes, the categories and the groups, where they are at most MOST_GROUPS. Raises SettingError for
    another name, and DataError when all groups asked for are too small.
    """
    source = clean(task, seed)
    strata = dict(_strata(task, source))
    for name in by:
        if name not in strata:
            raise unknown_name("column to group by", name, strata)
    found: dict[str, Source] = {}
    for name, (labels, is_number) in strata.items():
        if by and name not in by:
            continue
        groups = [group for group in dict.fromkeys(sorted(labels)) if group]
        if not by and (is_number or not 1 < len(groups) <= MOST_GROUPS):
            continue
        for group in groups:
            ids = np.flatnonzero(labels == group)
            if len(ids) >= LEAST_EXAMPLES:
                found[f"{name}={group}"] = SubsetSource(source, ids)
    if by and not found:
        raise DataError(f"no group of {', '.join(by)} has {LEAST_EXAMPLES} test examples: bring more of them")
    return found


def _strata(task: Task, source: FiniteSource) -> Iterator[tuple[str, tuple[np.ndarray, bool]]]:
    """Name → the label of each example ("" where it has none), and whether it is made of numbers."""
    kept = _without_heavy(task, source)
    for name, feature in task.targets.items():
        if feature.kind == "category" and not feature.shape:
            names = np.array(feature.classes or [str(i) for i in range(int(kept[name].max()) + 1)], object)
            yield name, (names[kept[name]], False)
        elif feature.kind == "number" and not feature.shape:
            yield name, (_quarters(kept[name]), True)
    for column in columns_of(task):
        values = kept[column.input]
        if column.kind == "categories" and column.levels:
            yield column.name, (_levels(column, values), False)
        elif column.kind == "numbers":
            yield column.name, (_quarters(values[:, column.places[0]]), True)
    if "group" in kept:
        yield "group", (kept["group"].astype(str).astype(object), False)


def _without_heavy(task: Task, source: FiniteSource) -> Batch:
    """All examples, without pictures and sounds."""
    light = {name for name, feature in task.inputs.items() if feature.kind == "vector"}
    wanted = {*light, *task.targets, "group"}
    parts = [{k: v for k, v in batch.items() if k in wanted} for batch in batches(source, 256)]
    return join_batches(parts)


def _levels(column: Column, values: np.ndarray) -> np.ndarray:
    rows = values[:, list(column.places)]
    names = np.array(column.levels, object)
    return np.where(rows.any(axis=1), names[rows.argmax(axis=1)], "")


def _quarters(values: np.ndarray) -> np.ndarray:
    edges = np.quantile(values, [0.25, 0.5, 0.75])
    place: Int[np.ndarray, " batch"] = np.searchsorted(edges, values, side="left")
    return np.array(QUARTERS, object)[place]
