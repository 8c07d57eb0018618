"""Folders of files with a sub-folder for each class: which files, of which class, in which split."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.targets import class_names
from pomona.tasks.readers.files import NAMES, SUFFIXES, Form
from pomona.tasks.splits import RATIOS, split_by_hash

MAX_UNREADABLE = 0.2
"""More unreadable files than this share are an error."""
MIN_FILES = 10
SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True)
class File:
    """One file: its class, its split ("" until one is chosen), its content's hash, what its header says."""

    path: Path
    class_name: str
    split: str = ""
    key: int = 0
    info: Any = None


@dataclass(frozen=True)
class Media:
    """How files become examples: the fitted step, and `load`, which makes one stored example of a file.

    Stored examples are prepared, or raw ones that the step prepares when they are read. `blank` is a raw
    batch.
    """

    step: Step
    load: Callable[[Path], Batch]
    blank: Batch
    is_prepared: bool


def folder_form(folder: Path) -> Form:
    """What most files in the folder are. Raises DataError when none of them can be read."""
    counts = Counter(SUFFIXES.get(path.suffix.lower()) for path in _files(folder))
    for form in ("parquet", "image", "audio"):
        if counts[form] and counts[form] == max(counts[one] for one in ("parquet", "image", "audio")):
            return form
    tables = [path.name for path in _files(folder) if SUFFIXES.get(path.suffix.lower()) in ("csv", "npz")]
    hint = f"; did you mean the file {tables[0]}?" if tables else ""
    raise DataError(f"{folder} holds no images, recordings or Parquet files{hint}")


def labelled_files(folder: Path, form: Form) -> list[File]:
    """The files of a form below the folder; the class is the first folder on the way to a file.

    When the first folders are named train, valid (or val) and test, they are the splits, and the next are
    classes. Raises DataError when files lie outside all sub-folders.
    """
    found = [path for path in _files(folder) if SUFFIXES.get(path.suffix.lower()) == form]
    steps = {path: path.relative_to(folder).parts for path in found}
    outer = {parts[0].lower() for parts in steps.values() if len(parts) > 1}
    has_splits = "train" in {SPLIT_FOLDERS.get(name) for name in outer} and outer <= set(SPLIT_FOLDERS)
    depth = 1 if has_splits else 0
    loose = [path for path, parts in steps.items() if len(parts) < depth + 2]
    if len(loose) == len(found):
        raise DataError(f"{folder} has {len(found)} files but no sub-folders; wanted one for each class")
    return [
        File(path, parts[depth], SPLIT_FOLDERS[parts[0].lower()] if has_splits else "")
        for path, parts in steps.items()
        if path not in loose
    ]


def readable_files(
    files: Sequence[File], form: Form, read_info: Callable[[Path], Any]
) -> tuple[list[File], list[str]]:
    """The files with their key and header, and a note on those that cannot be read, which are left out.

    Raises DataError when more than MAX_UNREADABLE of them cannot.
    """
    readable, unreadable = [], []
    for file in files:
        try:
            info = read_info(file.path)
            content = file.path.read_bytes()
        except (DataError, OSError) as error:
            unreadable.append(str(error))
            continue
        key = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
        readable.append(replace(file, key=key, info=info))
    return readable, unreadable_notes(unreadable, len(files), form)


def unreadable_notes(errors: Sequence[str], num_files: int, form: Form) -> list[str]:
    """A note on unreadable files, none when there are none. Raises DataError when they are too many."""
    if not errors:
        return []
    few = "; ".join(errors[:3]) + ("; …" if len(errors) > 3 else "")
    if len(errors) > MAX_UNREADABLE * num_files:
        raise DataError(f"{len(errors)} of {num_files} files are not {NAMES[form]} that can be read: {few}")
    return [f"{len(errors)} of {num_files} files were left out: {few}"]


def with_splits(files: Sequence[File], given: Mapping[str, Sequence[File]], seed: int) -> list[File]:
    """All files with a split: as folders say, else by hash of the content."""
    files = [*files, *(replace(file, split=split) for split, some in given.items() for file in some)]
    free = [index for index, file in enumerate(files) if not file.split]
    fixed = {file.split for file in files if file.split}
    if {"train"} <= fixed:  # folders of splits: what is missing is taken from the training files
        free = [index for index, file in enumerate(files) if file.split == "train"]
    ratios = {split: share for split, share in RATIOS.items() if split == "train" or split not in fixed}
    if len(free) < MIN_FILES:
        raise DataError(f"{len(free)} files are too few to learn from; at least {MIN_FILES} are needed")
    keys = np.array([files[index].key for index in free], np.uint64)
    for split, places in split_by_hash(keys, seed=seed, ratios=ratios).items():
        for place in places:
            files[free[place]] = replace(files[free[place]], split=split)
    return files


def class_target(files: Sequence[File]) -> tuple[Feature, list[File], list[str]]:
    """The feature `class`, the files whose class is in training, and notes on classes and other files."""
    counts = Counter(file.class_name for file in files if file.split == "train")
    classes = class_names(counts)
    if len(classes) < 2:
        raise DataError(
            f"there is only one class in training ({', '.join(classes)}); wanted two sub-folders or more"
        )
    known = [file for file in files if file.class_name in counts]
    notes = [
        "training examples of each class: " + ", ".join(f"{name} {counts[name]}" for name in classes[:20])
    ]
    if len(known) < len(files):
        unseen = sorted({file.class_name for file in files} - set(counts))
        notes.append(
            f"{len(files) - len(known)} files of classes that training lacks were left out: {unseen[:5]}"
        )
    return Feature("class", "category", (), classes=classes), known, notes


def _files(folder: Path) -> list[Path]:
    hidden = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        path for path in hidden if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
