"""The samples that queries are made of, in memory before the clock starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch, batch_size, take
from pomona.tasks.feature import mask_key
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task

MOST_LOADED = 1024
"""Samples that queries are drawn from; the others are for quality."""

MOST_BYTES = 512 * 2**20

Shapes = Mapping[str, tuple[tuple[int | None, ...], np.dtype]]
"""Input → shape of a batch, None for a free axis, and dtype."""


@dataclass(frozen=True)
class Library:
    """Samples by position. Without arrays there are only their numbers, for systems that need no more."""

    arrays: Batch
    size: int
    about: str
    truth: Batch = field(default_factory=dict)
    """Targets of the samples, with their masks and weights; empty without labels."""
    most_loaded: int = MOST_LOADED

    @property
    def num_loaded(self) -> int:
        """How many samples, the first ones, queries are drawn from."""
        return min(self.size, self.most_loaded)

    def batch(self, samples: Int[np.ndarray, " sample"]) -> Batch:
        """The inputs of a query; of one sample without copying."""
        if len(samples) == 1:
            place = int(samples[0])
            return {name: array[place : place + 1] for name, array in self.arrays.items()}
        return take(self.arrays, samples)

    def renamed(self, shapes: Shapes) -> "Library":
        """The same samples under the names that a model has for its inputs.

        Raises DataError when they do not fit what it reads.
        """
        arrays = dict(self.arrays)
        if not set(shapes) <= set(arrays) and len(shapes) == len(arrays) == 1:
            arrays = {next(iter(shapes)): next(iter(arrays.values()))}
        for name, (shape, dtype) in shapes.items():
            if name not in arrays:
                raise DataError(
                    f"the model reads {', '.join(shapes)}; there is only {', '.join(self.arrays)}"
                )
            got = arrays[name].shape[1:]
            if len(got) != len(shape) - 1 or any(
                w not in (None, g) for w, g in zip(shape[1:], got, strict=True)
            ):
                shown = " x ".join("?" if size is None else str(size) for size in shape[1:])
                raise DataError(f"input {name!r} of the model is {shown} a sample, the data has {got}")
            arrays[name] = arrays[name].astype(dtype, copy=False)
        return replace(self, arrays={name: arrays[name] for name in shapes})


def numbers_only(size: int = MOST_LOADED) -> Library:
    """Samples that are nothing but numbers."""
    return Library({}, size, "no inputs: queries are numbers of samples")


def from_task(task: Task, *, seed: int, most: int | None = None) -> Library:
    """The first test examples of a task with their truth, as many as fit; 1024 of an endless one."""
    source = task.splits["test"]
    if isinstance(source, FiniteSource) and source.size is not None:
        size_bytes = sum(array.nbytes for array in source.read(np.arange(1)).values())
        count = min(source.size, MOST_BYTES // max(size_bytes, 1), most or source.size)
        batch = source.read(np.arange(max(1, count)))
        about = f"{batch_size(batch)} of {source.size} test examples of {task.name}"
    else:
        batch = source.draw(stream(seed, "held out", "test"), MOST_LOADED)  # type: ignore[union-attr]
        about = f"{batch_size(batch)} drawn test examples of {task.name}"
    names = [n for name in task.inputs for n in (name, mask_key(name)) if n in batch]
    arrays = {name: np.ascontiguousarray(batch[name]) for name in names}
    truth = {name: array for name, array in batch.items() if name not in names}
    return Library(arrays, batch_size(batch), about, truth)


def from_file(path: Path) -> Library:
    """The arrays of an npz file, or the one of an npy file. Raises DataError when there are none."""
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = (
            {"input": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded}
        )
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not readable as npz or npy: {error}") from error
    if not arrays or any(array.ndim == 0 for array in arrays.values()):
        raise DataError(f"{path} should hold arrays with an example a row")
    size = batch_size(arrays)
    if size == 0:
        raise DataError(f"{path} holds no examples")
    return Library(arrays, size, f"{size} examples of {path.name}")


def made_up(shapes: Shapes, name: str, *, seed: int) -> Library:
    """Random inputs of the right shapes. Raises DataError when an axis besides the first is free."""
    generator = stream(seed, "made-up inputs")
    arrays: Batch = {}
    for key, (shape, dtype) in shapes.items():
        if None in shape[1:]:
            raise DataError(
                f"input {key!r} of {name} has free axes besides the first ({_shown(shape)}): give examples "
                "with --inputs FILE.npz or --task"
            )
        wanted = (16, *(size or 1 for size in shape[1:]))
        if dtype.kind == "f":
            arrays[key] = generator.standard_normal(wanted).astype(dtype)
        else:
            arrays[key] = generator.integers(0, 2, wanted).astype(dtype)
    return Library(arrays, 16, "16 made-up samples: random numbers of the right shapes")


def _shown(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape)
