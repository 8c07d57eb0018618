"""A task of a table: CSV or Parquet, with the target columns told by the user."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import DataError
from pomona.foundation.files import to_json
from pomona.tasks.batch import Batch, batch_size, take
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.features import input_features
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.readers.store import stored_sources
from pomona.tasks.readers.survey import Survey, survey_table
from pomona.tasks.readers.table import Table, find_column, open_table
from pomona.tasks.readers.table_columns import feature_name, fit_columns
from pomona.tasks.readers.target_kinds import (
    class_counts,
    joined_labels,
    target_feature,
    task_kind,
    with_empty_labels,
)
from pomona.tasks.readers.target_values import TargetValues
from pomona.tasks.splits import RATIOS, split_by_hash
from pomona.tasks.task import Task, TaskKind

MIN_ROWS = 10
DROPPED = -1
SPLITS = tuple(RATIOS)


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


def table_task(
    path: Path,
    *,
    target: Sequence[str],
    kind: TaskKind | None = None,
    group: str | None = None,
    given: Mapping[str, Path] | None = None,
    seed: int = 0,
    ignore: Sequence[str] = (),
) -> Task:
    """The task of foretelling `target` columns from the others; `given` has files of valid and test.

    The table is read twice, block by block. Raises DataError when it cannot make a task.
    """
    given = given or {}
    table = open_table(path)
    inputs = _check_columns(table, target, group, ignore)
    main = survey_table(table, inputs, target, group)
    kind = task_kind(list(main.targets.values()), kind)
    parts = [_main_part(table, main, kind, given, seed)]
    parts += [
        _given_part(open_table(file), split, inputs, target, group, kind) for split, file in given.items()
    ]
    train = parts[0].rows("train")
    features = {name: target_feature(column, kind, train) for name, column in parts[0].targets.items()}
    notes = [*table.notes, *_missing_notes(parts)]
    parts, more = _without_unseen(parts, features)
    notes += more
    sampled = np.flatnonzero(np.isin(main.sample_rows, train))
    preprocessing, more = fit_columns(
        take(main.sample, sampled),
        main.sample_rows[sampled],
        has_decimal_comma=table.has_decimal_comma,
        tags_words=kind == "sequence",
    )
    notes += more
    if kind in ("classify", "multilabel"):
        notes.append("training examples of each class: " + class_counts(features, parts[0].targets, train))
    return _task(path.stem, kind, parts, preprocessing, features, notes, sampled)


def _check_columns(
    table: Table, target: Sequence[str], group: str | None, ignore: Sequence[str]
) -> list[str]:
    if not target:
        few = ", ".join(table.names[:20]) + (", …" if len(table.names) > 20 else "")
        raise DataError(f"which column of {table.path} is to be foretold? give --target; it has {few}")
    taken = [find_column(table, name, "target") for name in target]
    taken += [find_column(table, group, "group")] if group else []
    taken += [find_column(table, name, "columns to ignore") for name in ignore]
    inputs = [name for name in table.names if name not in taken]
    if not inputs:
        raise DataError(
            f"{table.path} has no column besides {', '.join(taken)}; there is nothing to learn from"
        )
    return inputs


def _main_part(table: Table, survey: Survey, kind: TaskKind, given: Mapping[str, Path], seed: int) -> Part:
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


def _given_part(
    table: Table, split: str, inputs: Sequence[str], target: Sequence[str], group: str | None, kind: TaskKind
) -> Part:
    for name in (*inputs, *target):
        find_column(table, name, f"{split} split")
    group = group if group in table.names else None
    survey = survey_table(table, inputs, target, group)
    targets = _targets(survey, kind)
    present = np.all([column.is_present for column in targets.values()], axis=0)
    if not present.any():
        raise DataError(f"{table.path} has no row with a target")
    return Part(table, survey, targets, np.where(present, SPLITS.index(split), DROPPED).astype(np.int8))


def _targets(survey: Survey, kind: TaskKind) -> dict[str, TargetValues]:
    if kind == "multilabel" and len(survey.targets) > 1:
        labels = joined_labels(list(survey.targets.values()))
        return {labels.name: labels}
    columns = [replace(column, name=feature_name(column.name)) for column in survey.targets.values()]
    return {column.name: with_empty_labels(column) if kind == "multilabel" else column for column in columns}


def _missing_notes(parts: Sequence[Part]) -> list[str]:
    counts = {part.table.path: int((part.split == DROPPED).sum()) for part in parts}
    return [
        f"{count} rows of {path.name} without a target were left out"
        for path, count in counts.items()
        if count
    ]


def _without_unseen(parts: Sequence[Part], features: Mapping[str, Feature]) -> tuple[list[Part], list[str]]:
    """The parts without rows of valid and test whose class no training row has."""
    kept, notes = [], []
    for part in parts:
        known = np.all([part.targets[name].known(feature) for name, feature in features.items()], axis=0)
        unseen = (part.split != DROPPED) & ~known
        if unseen.any():
            texts = {column.texts[code] for column in part.targets.values() for code in column.codes[unseen]}
            few = ", ".join(map(repr, sorted(texts)[:5]))
            notes.append(
                f"{unseen.sum()} rows of {part.table.path.name} have a class that training lacks ({few})"
            )
        kept.append(replace(part, split=np.where(known, part.split, DROPPED)))
    for split in SPLITS:
        if not any(len(part.rows(split)) for part in kept):
            raise DataError(
                f"the split {split} is empty: training has none of its classes; give more examples"
            )
    return kept, [f"{note}; they were left out" for note in notes]


def _task(
    name: str,
    kind: TaskKind,
    parts: Sequence[Part],
    preprocessing: Preprocessing,
    targets: Mapping[str, Feature],
    notes: Sequence[str],
    sampled: Int[np.ndarray, " sampled"],
) -> Task:
    inputs = input_features(preprocessing, take(parts[0].survey.sample, sampled[:1]))
    digest = hashlib.blake2b(digest_size=16)
    digest.update(
        to_json([name, kind, [one.to_json() for one in (*inputs.values(), *targets.values())]]).encode()
    )
    digest.update(to_json(preprocessing.to_json()).encode())
    for part in parts:
        digest.update(part.survey.keys.tobytes() + part.split.tobytes())
    sizes = {split: sum(len(part.rows(split)) for part in parts) for split in SPLITS}
    pieces = (piece for part in parts for piece in _pieces(part, preprocessing, targets))
    return Task(
        name=name,
        kind=kind,
        inputs=inputs,
        targets=dict(targets),
        splits=dict(stored_sources(pieces, sizes, cache_folder() / "prepared" / digest.hexdigest())),
        metrics=DEFAULT_METRICS[kind],
        preprocessing=preprocessing,
        fingerprint=digest.hexdigest(),
        about=f"{', '.join(targets)} of {parts[0].table.path.name}",
        notes=tuple(notes),
    )


def _pieces(
    part: Part, preprocessing: Preprocessing, targets: Mapping[str, Feature]
) -> Iterator[tuple[str, Batch]]:
    """The prepared examples of a table, block by block and split by split."""
    start = 0
    in_memory = [part.survey.sample] if part.survey.has_all_rows else None
    for block in in_memory or part.table.blocks(preprocessing.columns):
        stop = start + batch_size(block)
        for index, split in enumerate(SPLITS):
            here = np.flatnonzero(part.split[start:stop] == index)
            if len(here):
                raw = take({column: block[column] for column in preprocessing.columns}, here)
                yield split, preprocessing.apply(raw) | _beside(part, targets, here + start)
        start = stop


def _beside(part: Part, targets: Mapping[str, Feature], rows: Int[np.ndarray, " kept"]) -> Batch:
    """The targets of some rows, their places in the table as ids, and their groups."""
    beside: Batch = {"id": rows}
    for name, feature in targets.items():
        beside[name] = part.targets[name].encode(feature, rows)
        if feature.variable:
            lengths = np.array([len(text.split()) for text in part.targets[name].texts])
            steps = lengths[part.targets[name].codes[rows]]
            beside[mask_key(name)] = np.arange(feature.shape[0]) < steps[:, None]
    if part.survey.groups is not None:
        beside["group"] = (part.survey.groups[rows] >> np.uint64(1)).astype(np.int64)
    return beside
