"""A task of a folder of images or recordings, with a sub-folder for each class."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import DataError
from pomona.foundation.files import to_json
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.features import input_features
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.readers.audio_files import read_audio_length
from pomona.tasks.readers.audio_folder import audio_media
from pomona.tasks.readers.files import Form
from pomona.tasks.readers.folder import (
    File,
    Media,
    class_target,
    labelled_files,
    readable_files,
    unreadable_notes,
    with_splits,
)
from pomona.tasks.readers.image_files import read_image_shape
from pomona.tasks.readers.image_folder import image_media
from pomona.tasks.readers.store import stored_sources
from pomona.tasks.source import ArraySource, PreparedSource
from pomona.tasks.splits import RATIOS
from pomona.tasks.task import Task

HEADERS = {"image": read_image_shape, "audio": read_audio_length}
MEDIA = {"image": image_media, "audio": audio_media}


def folder_task(folder: Path, form: Form, *, given: Mapping[str, Path], seed: int) -> Task:
    """The task of telling the classes of files apart; `given` has folders of the splits valid and test.

    Files that cannot be read are left out with a note. Raises DataError when they are too many, or too few
    files or classes are left.
    """
    notes: list[str] = []
    files, more = readable_files(labelled_files(folder, form), form, HEADERS[form])
    notes += more
    others = {}
    for split, path in given.items():
        others[split], more = readable_files(labelled_files(path, form), form, HEADERS[form])
        notes += more
    target, files, more = class_target(with_splits(files, others, seed))
    notes += more
    media = MEDIA[form]([file for file in files if file.split == "train"])
    preprocessing = Preprocessing((media.step,))
    unreadable: list[str] = []
    fingerprint = _fingerprint(folder.name, files, target, media.step)
    sizes = {split: sum(file.split == split for file in files) for split in RATIOS}
    stored = stored_sources(
        _pieces(files, media, target, unreadable), sizes, cache_folder() / "prepared" / fingerprint
    )
    notes += unreadable_notes(unreadable, len(files), form)
    for split, source in stored.items():
        if source.size == 0:
            raise DataError(f"the split {split} of {folder} is empty; give more files")
    return Task(
        name=folder.name,
        kind="classify",
        inputs=input_features(preprocessing, media.blank),
        targets={target.name: target},
        splits={split: _source(source, media, target) for split, source in stored.items()},
        metrics=DEFAULT_METRICS["classify"],
        preprocessing=preprocessing,
        fingerprint=fingerprint,
        about=f"{len(target.classes)} classes of {form} files in {folder.name}",
        notes=tuple(notes),
    )


def _pieces(
    files: Sequence[File], media: Media, target: Feature, unreadable: list[str]
) -> Iterator[tuple[str, Batch]]:
    """The stored examples file by file; what goes wrong is appended to `unreadable`."""
    index_of = {name: index for index, name in enumerate(target.classes)}
    for file in files:
        try:
            example = media.load(file.path)
        except DataError as error:
            unreadable.append(str(error))
            continue
        yield (
            file.split,
            example | {target.name: np.array([index_of[file.class_name]]), "id": np.array([file.key >> 1])},
        )


def _source(stored: ArraySource, media: Media, target: Feature) -> ArraySource | PreparedSource:
    if media.is_prepared:
        return stored
    preprocessing = Preprocessing((media.step,))

    def prepare(raw: Batch) -> Batch:
        return preprocessing.apply(raw) | {name: raw[name] for name in (target.name, "id")}

    return PreparedSource(stored, prepare)


def _fingerprint(name: str, files: Sequence[File], target: Feature, step: Step) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(to_json([name, target.to_json(), step.to_json()]).encode())
    for file in files:
        digest.update(f"{file.key} {file.class_name} {file.split}\n".encode())
    return digest.hexdigest()
