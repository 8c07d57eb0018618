"""Sources: where examples come from. A finite one is read by position, an endless one is drawn from.

Nothing here holds all examples in memory by need: ArraySource takes memory-mapped arrays too, PreparedSource
reads and prepares only what is asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from pomona.tasks.batch import Batch, batch_size


@runtime_checkable
class FiniteSource(Protocol):
    """Examples at positions 0 … size - 1."""

    @property
    def size(self) -> int: ...

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch: ...


@runtime_checkable
class EndlessSource(Protocol):
    """Examples without end; equal generators draw equal examples."""

    @property
    def size(self) -> None: ...

    def draw(self, generator: np.random.Generator, num_examples: int) -> Batch: ...


Source = FiniteSource | EndlessSource


@dataclass(frozen=True)
class ArraySource:
    """Examples in arrays with one leading axis, in memory or memory-mapped."""

    arrays: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        return batch_size(self.arrays)

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        return {name: np.asarray(array[ids]) for name, array in self.arrays.items()}


@dataclass(frozen=True)
class SubsetSource:
    """The examples of another source at some positions, in that order."""

    source: FiniteSource
    ids: Int[np.ndarray, " kept"]

    @property
    def size(self) -> int:
        return len(self.ids)

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        return self.source.read(self.ids[ids])


@dataclass(frozen=True)
class PreparedSource:
    """The examples of another source after `prepare`, which maps a raw batch to a task's batch."""

    source: FiniteSource
    prepare: Callable[[Batch], Batch]

    @property
    def size(self) -> int:
        return self.source.size

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        return self.prepare(self.source.read(ids))


@dataclass(frozen=True)
class DrawnSource:
    """An endless source made of a function of a generator and a number of examples."""

    make: Callable[[np.random.Generator, int], Batch]

    @property
    def size(self) -> None:
        return None

    def draw(self, generator: np.random.Generator, num_examples: int) -> Batch:
        return self.make(generator, num_examples)


def batches(source: FiniteSource, num_examples: int) -> Iterator[Batch]:
    """All examples of a source in order, `num_examples` at a time; the last batch may be smaller."""
    for start in range(0, source.size, num_examples):
        yield source.read(np.arange(start, min(start + num_examples, source.size)))
