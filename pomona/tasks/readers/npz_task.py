"""A task of an npz file: arrays `x` and `y`, or inputs and targets by name."""

import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import RESERVED, Batch, take
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import is_known
from pomona.tasks.preprocessing.values import as_text
from pomona.tasks.readers.array_kinds import array_target, array_task_kind, fit_array
from pomona.tasks.readers.folder import SPLIT_FOLDERS
from pomona.tasks.splits import RATIOS, content_keys, split_by_hash
from pomona.tasks.task import Task, TaskKind

TARGET_NAMES = ("y", "target", "targets", "label", "labels", "class", "classes")
MIN_EXAMPLES = 10
DAMAGED = (ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
_SPLIT_NAME = re.compile(
    rf"(?:(.+)_({'|'.join(SPLIT_FOLDERS)})|({'|'.join(SPLIT_FOLDERS)})_(.+))", re.IGNORECASE
)


def npz_task(
    path: Path,
    *,
    target: Sequence[str] = (),
    kind: TaskKind | None = None,
    group: str | None = None,
    given: Mapping[str, Path] | None = None,
    seed: int = 0,
    ignore: Sequence[str] = (),
) -> Task:
    """The task of foretelling the `target` arrays (by default `y` or `label`) from the others.

    Arrays named x_train, y_train, x_test, … are splits; `given` has files of the splits valid and test.
    Raises DataError when the arrays cannot make a task.
    """
    parts = _parts(path, given or {}, ignore)
    targets = _target_names(path, parts["train"], target)
    group = group or ("group" if "group" in parts["train"] else None)
    inputs = _input_names(path, parts["train"], [*targets, *([group] if group else [])])
    notes: list[str] = []
    _check_lengths(path, parts, [*inputs, *targets, *([group] if group else [])])
    parts = {split: _with_targets(path, part, targets, notes) for split, part in parts.items()}
    splits = _splits(path, parts, inputs, group, seed)
    train = splits["train"]
    kind = kind or array_task_kind(take_names(train, targets), take_names(train, inputs))
    features = {name: array_target(name, train[name], kind) for name in targets}
    splits = {split: _with_known(split, part, features, notes) for split, part in splits.items()}
    steps = tuple(fit_array(name, train[name], kind) for name in inputs)
    notes += [f"the array {step.columns[0]!r} is taken as {step.kind}" for step in steps]
    kept = [*inputs, *targets, *(name for name in ("weight", "group") if name in train)]
    return task_of_arrays(
        path.stem,
        kind,
        {split: take_names(part, kept) for split, part in splits.items()},
        Preprocessing(steps),
        features,
        about=f"{', '.join(targets)} of {path.name}",
        notes=tuple(notes),
    )


def take_names(part: Batch, names: Sequence[str]) -> Batch:
    """Some arrays of a batch."""
    return {name: part[name] for name in names}


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file, text as objects. Raises DataError for Python objects."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except DAMAGED as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path} holds Python objects, which are not loaded; save arrays of numbers or text"
            ) from error
        raise DataError(f"{path} is no whole npz file ({str(error)[:120]}); copy it again") from error
    for name, values in arrays.items():
        if values.dtype.kind not in "biufOUS":
            raise DataError(f"{path}: the array {name!r} is of type {values.dtype}; wanted numbers or text")
    texts = {name: values.astype(object) for name, values in arrays.items() if values.dtype.kind in "US"}
    return {name: values for name, values in (arrays | texts).items() if values.ndim}


def _parts(path: Path, given: Mapping[str, Path], ignore: Sequence[str]) -> dict[str, Batch]:
    """The arrays by split and name; without a training part, those whose name tells no split are it."""
    parts = _by_split(read_arrays(path), ignore)
    for split, file in given.items():
        parts[split] = _by_split(read_arrays(file), ignore).get("", {})
    unnamed = parts.pop("", {})
    return {"train": unnamed} | parts


def _by_split(arrays: Mapping[str, np.ndarray], ignore: Sequence[str]) -> dict[str, Batch]:
    """The arrays by split ("" for those whose name tells none) and by name without the split."""
    parts: dict[str, Batch] = {}
    for name, values in arrays.items():
        match = _SPLIT_NAME.fullmatch(name)
        base = (match[1] or match[4]) if match else name
        split = SPLIT_FOLDERS[(match[2] or match[3]).lower()] if match else ""
        if name not in ignore and base not in ignore:
            parts.setdefault(split, {})[base] = values
    return parts


def _target_names(path: Path, arrays: Batch, target: Sequence[str]) -> list[str]:
    names = list(target) or [name for name in arrays if name.lower() in TARGET_NAMES][:1]
    missing = [name for name in names if name not in arrays]
    taken = [name for name in names if name in RESERVED]
    if taken:
        raise DataError(f"{path}: no target can be named {taken[0]!r}; save the array under another name")
    if missing or not names:
        wanted = f"the array {missing[0]!r}" if missing else "an array y, or --target"
        raise DataError(f"{path} has the arrays {', '.join(arrays) or 'none'}; wanted {wanted}")
    return names


def _input_names(path: Path, arrays: Batch, others: Sequence[str]) -> list[str]:
    names = [name for name in arrays if name not in (*others, *RESERVED)]
    if not names:
        raise DataError(f"{path} has only {', '.join(arrays)}; wanted arrays to learn {others[0]!r} from")
    return names


def _check_lengths(path: Path, parts: Mapping[str, Batch], names: Sequence[str]) -> None:
    for part in parts.values():
        missing = [name for name in names if name not in part]
        if missing:
            raise DataError(f"{path}: a split lacks the array {missing[0]!r}; it has {', '.join(part)}")
        lengths = {name: len(part[name]) for name in names}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(f"{path}: the arrays are of unequal lengths ({told}); wanted an entry an example")


def _with_targets(path: Path, part: Batch, targets: Sequence[str], notes: list[str]) -> Batch:
    """The examples whose targets are neither missing nor infinite."""
    present = np.ones(len(part[targets[0]]), bool)
    for name in targets:
        values = part[name]
        if values.dtype == object and values.ndim == 1:
            present &= np.array([text is not None for text in as_text(values)])
        elif values.dtype.kind == "f":
            present &= np.isfinite(values).reshape(len(values), -1).all(1)
    if not present.any():
        raise DataError(
            f"{path}: no example has a target; {', '.join(targets)} is missing or infinite in all"
        )
    if not present.all():
        notes.append(f"{(~present).sum()} examples without a target were left out")
    return take(part, np.flatnonzero(present))


def _with_known(split: str, part: Batch, features: Mapping[str, Feature], notes: list[str]) -> Batch:
    """The examples whose class training has, with groups as numbers and weights as floats."""
    known = np.all([is_known(feature, part[name]) for name, feature in features.items()], axis=0)
    if not known.all():
        notes.append(
            f"{(~known).sum()} examples of {split} have a class that training lacks and were left out"
        )
    part = dict(part)
    if "group" in part:
        part["group"] = (content_keys({"group": part["group"]}) >> np.uint64(1)).astype(np.int64)
    if "weight" in part:
        part["weight"] = part["weight"].astype(np.float32)
    return take(part, np.flatnonzero(known))


def _splits(
    path: Path, parts: dict[str, Batch], inputs: Sequence[str], group: str | None, seed: int
) -> dict[str, Batch]:
    """The parts with the splits that were not given taken from the training part."""
    train = parts["train"]
    ratios = {split: share for split, share in RATIOS.items() if split == "train" or split not in parts}
    size = len(next(iter(train.values())))
    if size < MIN_EXAMPLES:
        raise DataError(f"{path} has {size} examples to learn from; at least {MIN_EXAMPLES} are needed")
    keys = content_keys({name: train[name] for name in ([group] if group else inputs)})
    ids = split_by_hash(keys, seed=seed, ratios=ratios)
    return {split: take(train, ids[split]) if split in ids else parts[split] for split in RATIOS}
