"""A task of a table: CSV or Parquet, with the target columns told by the user."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
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
from pomona.tasks.readers.survey import survey_table
from pomona.tasks.readers.table import open_table
from pomona.tasks.readers.table_columns import fit_columns
from pomona.tasks.readers.table_parts import (
    SPLITS,
    Part,
    column_roles,
    given_part,
    missing_notes,
    split_part,
    without_unseen,
)
from pomona.tasks.readers.target_kinds import class_counts, target_feature, task_kind
from pomona.tasks.task import Task, TaskKind


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
    roles = column_roles(table, target, group, ignore)
    survey = survey_table(table, roles.inputs, roles.targets, group)
    kind = task_kind(list(survey.targets.values()), kind)
    parts = [split_part(table, survey, kind, given, seed)]
    parts += [given_part(open_table(file), split, roles, kind) for split, file in given.items()]
    train = parts[0].rows("train")
    targets = {name: target_feature(column, kind, train) for name, column in parts[0].targets.items()}
    notes = [*table.notes, *missing_notes(parts)]
    parts, more = without_unseen(parts, targets)
    notes += more
    tags_time = next(iter(targets.values())).shape[0] if kind == "sequence" else None
    preprocessing, more = fit_columns(*_sampled(parts[0]), table, tags_time=tags_time)
    notes += more
    if kind in ("classify", "multilabel"):
        counts = class_counts(targets, parts[0].targets, parts[0].rows("train"))
        notes.append(f"training examples of each class: {counts}")
    return _task(path, kind, parts, preprocessing=preprocessing, targets=targets, notes=notes)


def _task(
    path: Path,
    kind: TaskKind,
    parts: Sequence[Part],
    *,
    preprocessing: Preprocessing,
    targets: Mapping[str, Feature],
    notes: Sequence[str],
) -> Task:
    inputs = input_features(preprocessing, parts[0].survey.sample)
    fingerprint = _fingerprint([path.stem, kind], {**inputs, **targets}, preprocessing, parts)
    sizes = {split: sum(len(part.rows(split)) for part in parts) for split in SPLITS}
    pieces = (piece for part in parts for piece in _pieces(part, preprocessing, targets))
    return Task(
        name=path.stem,
        kind=kind,
        inputs=inputs,
        targets=targets,
        splits=dict(stored_sources(pieces, sizes, cache_folder() / "prepared" / fingerprint)),
        metrics=DEFAULT_METRICS[kind],
        preprocessing=preprocessing,
        fingerprint=fingerprint,
        about=f"{', '.join(targets)} of {path.name}",
        notes=tuple(notes),
    )


def _sampled(part: Part) -> tuple[Batch, Int[np.ndarray, " sampled"]]:
    """The training rows of the sample, and their places in the table."""
    rows = part.survey.sample_rows
    kept = np.flatnonzero(part.split[rows] == SPLITS.index("train"))
    return take(part.survey.sample, kept), rows[kept]


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
                beside = _beside(part, targets, here + start)
                inputs = preprocessing.apply(raw)
                _check_aligned(part, inputs, beside)
                yield split, inputs | beside
        start = stop


def _check_aligned(part: Part, inputs: Batch, beside: Batch) -> None:
    """Raises DataError where a text has not as many words as it has tags."""
    for mask in (values for name, values in beside.items() if name.endswith(mask_key(""))):
        words = next(values for name, values in inputs.items() if name.endswith(mask_key("")))
        unlike = np.flatnonzero(words.sum(1) != mask.sum(1))
        if len(unlike):
            first = unlike[0]
            raise DataError(
                f"row {beside['id'][first] + 1} of {part.table.path} has {words[first].sum()} words and "
                f"{mask[first].sum()} tags; wanted a tag for every word"
            )


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


def _fingerprint(
    names: list[str], features: Mapping[str, Feature], preprocessing: Preprocessing, parts: Sequence[Part]
) -> str:
    """A hash of the schema, of every row, and of the split and the targets of every row."""
    digest = hashlib.blake2b(digest_size=16)
    schema = [names, [feature.to_json() for feature in features.values()], preprocessing.to_json()]
    digest.update(to_json(schema).encode())
    for part in parts:
        digest.update(part.survey.keys.tobytes() + part.split.tobytes())
        for column in part.targets.values():
            digest.update(to_json(column.texts).encode() + column.codes.tobytes() + column.numbers.tobytes())
            if column.vectors is not None:
                digest.update(column.vectors.tobytes())
    return digest.hexdigest()
