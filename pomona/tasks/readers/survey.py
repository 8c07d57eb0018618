"""The first reading of a table: targets, groups and keys of all rows, and a sample of rows to fit on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt64

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream_seed
from pomona.tasks.batch import Batch, join_batches, take
from pomona.tasks.readers.table import Table
from pomona.tasks.readers.target_values import TargetCollector, TargetValues
from pomona.tasks.splits import content_keys, mix

SAMPLE_CELLS = 20_000_000
"""So many cells, of rows chosen by their keys, are held to fit preprocessing on; at most SAMPLE_ROWS rows."""
SAMPLE_ROWS = 100_000


@dataclass(frozen=True)
class Survey:
    """What is known of all rows of a table, in little memory, and a sample of its rows with their positions.

    The sample holds every row of a small table.
    """

    keys: UInt64[np.ndarray, " row"]
    groups: UInt64[np.ndarray, " row"] | None
    targets: dict[str, TargetValues]
    sample: Batch
    sample_rows: Int[np.ndarray, " sampled"]

    @property
    def num_rows(self) -> int:
        """The number of rows of the table."""
        return len(self.keys)

    @property
    def has_all_rows(self) -> bool:
        """Whether the sample is the whole table."""
        return len(self.sample_rows) == self.num_rows


def survey_table(
    table: Table, inputs: Sequence[str], targets: Sequence[str], group: str | None = None
) -> Survey:
    """Reads the table once, block by block. Raises DataError when it has no rows."""
    collectors = [TargetCollector(name, comma_is_likely=table.has_decimal_comma) for name in targets]
    keys, groups = [], []
    sampler = _Sampler(max(min(SAMPLE_ROWS, SAMPLE_CELLS // max(len(inputs), 1)), 1000))
    for block in table.blocks(list(dict.fromkeys([*inputs, *targets, *([group] if group else [])]))):
        keys.append(content_keys({name: block[name] for name in inputs}))
        if group:
            groups.append(content_keys({group: block[group]}))
        for collector in collectors:
            collector.add(block[collector.name])
        sampler.add({name: block[name] for name in inputs}, keys[-1])
    if not keys:
        raise DataError(f"{table.path} has no rows")
    sample, rows = sampler.finish()
    return Survey(
        np.concatenate(keys),
        np.concatenate(groups) if group else None,
        {collector.name: collector.finish() for collector in collectors},
        sample,
        rows,
    )


class _Sampler:
    """Keeps the rows with the smallest hashes of their keys: a sample that depends on content alone."""

    def __init__(self, num_rows: int):
        self._num_rows = num_rows
        self._limit = np.uint64(2**64 - 1)
        self._start = 0
        self._parts: list[tuple[Batch, np.ndarray, np.ndarray]] = []

    def add(self, block: Batch, keys: UInt64[np.ndarray, " row"]) -> None:
        order = mix(keys ^ np.uint64(stream_seed(0, "sample")))
        kept = np.flatnonzero(order <= self._limit)
        self._parts.append((take(block, kept), kept + self._start, order[kept]))
        self._start += len(keys)
        if sum(len(rows) for _, rows, _ in self._parts) > 2 * self._num_rows:
            self._shrink()

    def finish(self) -> tuple[Batch, Int[np.ndarray, " sampled"]]:
        if sum(len(rows) for _, rows, _ in self._parts) > self._num_rows:
            self._shrink()
        blocks = [block for block, _, _ in self._parts]
        return joined(blocks), np.concatenate([rows for _, rows, _ in self._parts])

    def _shrink(self) -> None:
        order = np.concatenate([part[2] for part in self._parts])
        self._limit = np.partition(order, self._num_rows - 1)[self._num_rows - 1]
        shrunk = []
        for block, rows, one in self._parts:
            kept = np.flatnonzero(one <= self._limit)
            shrunk.append((take(block, kept), rows[kept], one[kept]))
        self._parts = shrunk


def joined(blocks: Sequence[Batch]) -> Batch:
    """The blocks one after another; a column of numbers in one and objects in another is of objects."""
    unlike = {name for name in blocks[0] if len({block[name].dtype.kind == "O" for block in blocks}) > 1}
    alike = [
        {name: values.astype(object) if name in unlike else values for name, values in block.items()}
        for block in blocks
    ]
    return join_batches(alike)
