"""Examples that are changed at random as they are read, the same way whenever and in whatever order."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch, join_batches, take
from pomona.tasks.source import FiniteSource

BLOCK = 128
"""Examples that share a random stream, and are changed together."""

Change = Callable[[Batch, np.random.Generator], Batch]
"""From a batch as the task has it, and a generator, to the changed batch; targets stay as they are."""


@dataclass(frozen=True)
class ChangedSource:
    """The examples of another source after `change`.

    The stream of a block of examples is keyed by (seed, name, place of the block). Fastest in order: to read
    one example its whole block is changed.
    """

    source: FiniteSource
    change: Change
    name: str
    seed: int

    @property
    def size(self) -> int:
        return self.source.size

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        owner = ids // BLOCK
        pieces, order = [], []
        for block in np.unique(owner):
            here = np.flatnonzero(owner == block)
            pieces.append(take(self._block(int(block)), ids[here] - block * BLOCK))
            order.append(here)
        if not pieces:
            return self.source.read(ids)
        return take(join_batches(pieces), np.argsort(np.concatenate(order), kind="stable"))

    def _block(self, block: int) -> Batch:
        places = np.arange(block * BLOCK, min((block + 1) * BLOCK, self.source.size))
        return self.change(self.source.read(places), stream(self.seed, f"stress {self.name}", block))
