"""Sources of raw batches for prediction, with a name for each example."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch, batch_size, join_batches, take
from pomona.tasks.preprocessing.audio import rate_key
from pomona.tasks.readers.audio_files import read_audio
from pomona.tasks.readers.files import SUFFIXES, Form, file_form
from pomona.tasks.readers.folder import unreadable_notes
from pomona.tasks.readers.image_files import read_image
from pomona.tasks.readers.table import Table, find_column


@dataclass(frozen=True)
class UserInput:
    """Raw examples at positions 0 … size - 1 (a FiniteSource), and a name for each."""

    size: int
    read: Callable[[Int[np.ndarray, " batch"]], Batch]
    names: Sequence[str]


class RowNumbers(Sequence[str]):
    """The names 1, 2, …, made when they are asked for."""

    def __init__(self, size: int):
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index):  # type: ignore[override]
        numbers = range(1, self._size + 1)[index]
        return str(numbers) if isinstance(numbers, int) else [str(number) for number in numbers]


def input_of_arrays(columns: Mapping[str, np.ndarray]) -> UserInput:
    """The entries of arrays in memory. Raises DataError when there are none or lengths differ."""
    size = batch_size(columns)
    if size == 0:
        raise DataError("there are no examples to predict for: the arrays are empty")
    return UserInput(size, lambda ids: take(columns, ids), RowNumbers(size))


def input_of_files(files: Sequence[Path], column: str, form: Form) -> UserInput:
    """Images or recordings, read when they are asked for. Raises DataError for a file of another form."""
    for file in files:
        if (told := file_form(file)) != form:
            raise DataError(f"{file} is of the kind {told}; the model wants {form}")
    return UserInput(len(files), lambda ids: _read_files(files, ids, column, form), tuple(map(str, files)))


def input_of_folder(folder: Path, column: str, form: Form) -> UserInput:
    """All images or recordings in a folder and below, by their paths within it.

    Files that cannot be read are left out with a warning; to know them, each is read once more. Raises
    DataError when they are too many, or when there are no files.
    """
    files = [file for file in sorted(folder.rglob("*")) if SUFFIXES.get(file.suffix.lower()) == form]
    if not files:
        raise DataError(f"{folder} holds no files of the kind {form}")
    read = read_image if form == "image" else read_audio
    readable, unreadable = [], []
    for file in files:
        try:
            read(file)
            readable.append(file)
        except DataError as error:
            unreadable.append(str(error))
    for note in unreadable_notes(unreadable, len(files), form):
        warnings.warn(note, stacklevel=2)
    names = tuple(str(file.relative_to(folder)) for file in readable)
    return UserInput(len(readable), lambda ids: _read_files(readable, ids, column, form), names)


def input_of_table(table: Table, columns: Sequence[str]) -> UserInput:
    """The rows of a table, which is read block by block as they are asked for, fastest in order.

    Raises DataError when a column is missing.
    """
    for column in columns:
        find_column(table, column, "model")
    sizes = [batch_size(block) for block in table.blocks(columns)]
    if not sum(sizes):
        raise DataError(f"{table.path} has no rows")
    reader = _BlockReader(table, columns, np.cumsum([0, *sizes]))
    return UserInput(sum(sizes), reader.read, RowNumbers(sum(sizes)))


def _read_files(files: Sequence[Path], ids: Int[np.ndarray, " batch"], column: str, form: Form) -> Batch:
    values = np.empty(len(ids), object)
    rates = np.zeros(len(ids), np.int64)
    for place, index in enumerate(ids):
        if form == "image":
            values[place] = read_image(files[index])
        else:
            values[place], rates[place] = read_audio(files[index])
    return {column: values} if form == "image" else {column: values, rate_key(column): rates}


class _BlockReader:
    """Reads rows at any positions; holds one block, and starts again from the top to go back."""

    def __init__(self, table: Table, columns: Sequence[str], starts: Int[np.ndarray, " block"]):
        self._table = table
        self._columns = columns
        self._starts = starts
        self._rest: Iterator[Batch] = iter(())
        self._block: Batch = {}
        self._place = len(starts)

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        owner = np.searchsorted(self._starts, ids, side="right") - 1
        pieces, order = [], []
        for place in np.unique(owner):
            here = np.flatnonzero(owner == place)
            pieces.append(take(self._at(int(place)), ids[here] - self._starts[place]))
            order.append(here)
        return take(join_batches(pieces), np.argsort(np.concatenate(order)))

    def _at(self, place: int) -> Batch:
        if place < self._place:
            self._rest, self._place = self._table.blocks(self._columns), -1
        while self._place < place:
            self._block, self._place = next(self._rest), self._place + 1
        return self._block
