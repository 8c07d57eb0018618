"""The rows of a task's tables: which columns do what, and which split each row is in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.readers.survey import Survey, survey_table
from pomona.tasks.readers.table import Table, find_column
from pomona.tasks.readers.table_columns import feature_name
from pomona.tasks.readers.target_kinds import joined_labels, with_empty_labels
from pomona.tasks.readers.target_values import TargetValues
from pomona.tasks.splits import RATIOS, split_by_hash
from pomona.tasks.task import TaskKind

MIN_ROWS = 10
DROPPED = -1
SPLITS = tuple(RATIOS)


@dataclass(frozen=True)
class Roles:
    """The columns to learn from, those to be foretold, and the one whose values keep rows together."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    group: str | None


@dataclass(frozen=True)
class Part:
    """A table with what is known of it, and the split (an index into SPLITS, or DROPPED) of each row."""

    table: Table
    survey: Survey
    targets: Mapping[str, TargetValues]
    split: Int[np.ndarray, " row"]

    def rows(self, split: str) -> Int[np.ndarray, " kept"]:
        """The positions of the rows of a split."""
        return np.flatnonzero(self.split == SPLITS.index(split))


def column_roles(table: Table, target: Sequence[str], group: str | None, ignore: Sequence[str]) -> Roles:
    """The roles of the table's columns. Raises DataError when a named one is missing or none is left."""
    if not target:
        few = ", ".join(table.names[:20]) + (", …" if len(table.names) > 20 else "")
        raise DataError(f"which column of {table.path} is to be foretold? give --target; it has {few}")
    taken = [find_column(table, name, "target") for name in target]
    taken += [find_column(table, group, "group")] if group else []
    taken += [find_column(table, name, "columns to ignore") for name in ignore]
    inputs = tuple(name for name in table.names if name not in taken)
    if not inputs:
        raise DataError(
            f"{table.path} has no column besides {', '.join(taken)}; there is nothing to learn from"
        )
    return Roles(inputs, tuple(target), group)


def split_part(table: Table, survey: Survey, kind: TaskKind, given: Collection[str], seed: int) -> Part:
    """The rows of the main table in the splits that are not `given`. Raises DataError for too few rows."""
    targets = _targets(survey, kind)
    usable = np.flatnonzero(np.all([column.is_present for column in targets.values()], axis=0))
    if len(usable) < MIN_ROWS:
        raise DataError(f"{table.path} has {len(usable)} rows with a target; at least {MIN_ROWS} are needed")
    keys = survey.keys if survey.groups is None else survey.groups
    ratios = {split: share for split, share in RATIOS.items() if split not in given}
    split = np.full(survey.num_rows, DROPPED, np.int8)
    for name, rows in split_by_hash(keys[usable], seed=seed, ratios=ratios).items():
        split[usable[rows]] = SPLITS.index(name)
    return Part(table, survey, targets, split)


def given_part(table: Table, split: str, roles: Roles, kind: TaskKind) -> Part:
    """The rows of a table that is a split. Raises DataError when it lacks columns or targets."""
    for name in (*roles.inputs, *roles.targets):
        find_column(table, name, f"{split} split")
    group = roles.group if roles.group in table.names else None
    survey = survey_table(table, roles.inputs, roles.targets, group)
    targets = _targets(survey, kind)
    present = np.all([column.is_present for column in targets.values()], axis=0)
    if not present.any():
        raise DataError(f"{table.path} has no row with a target")
    return Part(table, survey, targets, np.where(present, SPLITS.index(split), DROPPED).astype(np.int8))


def missing_notes(parts: Sequence[Part]) -> list[str]:
    """What to say of rows without a target."""
    counts = {part.table.path.name: int((part.split == DROPPED).sum()) for part in parts}
    return [
        f"{count} rows of {name} without a target were left out" for name, count in counts.items() if count
    ]


def without_unseen(parts: Sequence[Part], features: Mapping[str, Feature]) -> tuple[list[Part], list[str]]:
    """The parts without rows of valid and test whose class no training row has, and what to say of those.

    Raises DataError when a split is empty.
    """
    kept, notes = [], []
    for part in parts:
        known = np.all([part.targets[name].known(feature) for name, feature in features.items()], axis=0)
        unseen = (part.split != DROPPED) & ~known
        if unseen.any():
            texts = {column.texts[code] for column in part.targets.values() for code in column.codes[unseen]}
            few = ", ".join(map(repr, sorted(texts)[:5]))
            notes.append(
                f"{unseen.sum()} rows of {part.table.path.name} have a class that training lacks ({few}); "
                "they were left out"
            )
        kept.append(replace(part, split=np.where(known, part.split, DROPPED)))
    for split in SPLITS:
        if not any(len(part.rows(split)) for part in kept):
            raise DataError(
                f"the split {split} is empty: training has none of its classes; give more examples"
            )
    return kept, notes


def _targets(survey: Survey, kind: TaskKind) -> dict[str, TargetValues]:
    if kind == "multilabel" and len(survey.targets) > 1:
        labels = joined_labels(list(survey.targets.values()))
        return {labels.name: labels}
    columns = [replace(column, name=feature_name(column.name)) for column in survey.targets.values()]
    return {column.name: with_empty_labels(column) if kind == "multilabel" else column for column in columns}
