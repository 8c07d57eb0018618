"""Examples from elsewhere: stress splits that the task has, and those that a user brings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pomona.foundation.errors import DataError, InputError, SettingError
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.targets import encode_targets
from pomona.tasks.readers.npz_task import read_arrays
from pomona.tasks.readers.table import open_table
from pomona.tasks.source import ArraySource, Source
from pomona.tasks.task import Task

USUAL = ("train", "valid", "test")


def shifted(task: Task, seed: int, *, paths: Sequence[str] = ()) -> dict[str, Source]:
    """The task's own splits besides train, valid and test, and those in files, each NAME=PATH or PATH.

    A file is a table or npz with the task's raw columns and targets. Raises DataError for other classes,
    missing columns, and for a name that is taken.
    """
    found = {name: source for name, source in task.splits.items() if name not in USUAL}
    for given in paths:
        name, _, path = given.rpartition("=")
        name = name or Path(path).stem
        if name in found or name in USUAL:
            raise SettingError(f"there is a split {name!r} already: name the one in {path} NAME={path}")
        found[name] = read_split(task, Path(path).expanduser())
    return found


def read_split(task: Task, path: Path) -> ArraySource:
    """The examples in a table or npz file, prepared as the task's are."""
    if not path.exists():
        raise DataError(f"no such file: {path}; a shifted split is a table or an npz file")
    columns = [*(task.preprocessing.columns or task.inputs), *task.targets]
    raw = read_arrays(path) if path.suffix.lower() == ".npz" else _rows(path, columns)
    if lacking := [column for column in columns if column not in raw]:
        raise DataError(f"{path} lacks {lacking[0]!r}; a split of {task.name} has {', '.join(columns[:10])}")
    try:
        return ArraySource(prepared(task, raw))
    except InputError as error:
        raise DataError(f"{path} is no split of {task.name}: {error}") from None


def prepared(task: Task, raw: Mapping[str, np.ndarray]) -> Batch:
    """The batch of raw columns and targets, as the task has it. Raises DataError for unseen classes."""
    return task.preprocessing.apply(raw) | encode_targets(task.targets, raw)


def _rows(path: Path, columns: Sequence[str]) -> Batch:
    table = open_table(path)
    known = [column for column in columns if column in table.names]
    blocks = list(table.blocks(known))
    return {name: np.concatenate([block[name] for block in blocks]) for name in known}
