"""Prepared examples of all splits, gathered piece by piece: in memory while few, else in mapped files."""

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pomona.foundation.files import new_folder, read_json, write_json
from pomona.tasks.batch import Batch, batch_size
from pomona.tasks.source import ArraySource

MEMORY_BYTES = 1 << 30
"""Prepared examples of up to this size stay in memory."""


def stored_sources(
    pieces: Iterable[tuple[str, Batch]], sizes: Mapping[str, int], folder: Path
) -> dict[str, ArraySource]:
    """A source for each split of at most `sizes` examples, from pieces (split, examples) in order.

    Above MEMORY_BYTES the arrays are written to `folder` and mapped; a folder that is there already, whole,
    from an earlier time is used as it is, so its name must tell everything that the pieces depend on.
    """
    if (folder / "arrays.json").exists():
        return _mapped(folder)
    rest = iter(pieces)
    first_piece = next(rest)
    first = first_piece[1]
    whole = itertools.chain([first_piece], rest)
    size_bytes = sum(values[:1].nbytes for values in first.values()) * sum(sizes.values())
    if size_bytes <= MEMORY_BYTES:
        arrays: dict[str, dict[str, np.ndarray]] = {
            split: {name: np.empty((size, *values.shape[1:]), values.dtype) for name, values in first.items()}
            for split, size in sizes.items()
        }
        filled = _fill(arrays, whole)
        return {split: _source(one, filled[split]) for split, one in arrays.items()}
    with new_folder(folder) as temporary:
        names = {split: {name: f"{split}-{index}.npy" for index, name in enumerate(first)} for split in sizes}
        arrays: dict[str, dict[str, np.ndarray]] = {
            split: {
                name: _reserved(temporary / file, first[name].dtype, (sizes[split], *first[name].shape[1:]))
                for name, file in files.items()
            }
            for split, files in names.items()
        }
        filled = _fill(arrays, whole)
        del arrays
        write_json(temporary / "arrays.json", {"files": names, "filled": filled})
    return _mapped(folder)


def _reserved(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """A new mapped array, its place on the disk taken at once.

    A full disk that is met only while writing to mapped memory ends the process.
    """
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _fill(
    arrays: Mapping[str, Mapping[str, np.ndarray]], pieces: Iterable[tuple[str, Batch]]
) -> dict[str, int]:
    filled = dict.fromkeys(arrays, 0)
    for split, piece in pieces:
        start, stop = filled[split], filled[split] + batch_size(piece)
        for name, values in piece.items():
            arrays[split][name][start:stop] = values
        filled[split] = stop
    return filled


def _mapped(folder: Path) -> dict[str, ArraySource]:
    index = read_json(folder / "arrays.json")
    return {
        split: _source(
            {name: np.load(folder / file, mmap_mode="r") for name, file in files.items()},
            index["filled"][split],
        )
        for split, files in index["files"].items()
    }


def _source(arrays: Mapping[str, np.ndarray], size: int) -> ArraySource:
    return ArraySource({name: values[:size] for name, values in arrays.items()})
