"""A pipeline: the stages of a partition as processes on cores of their own, entries flowing through them."""

import os
import select
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import numpy as np
from jaxtyping import Shaped

from pomona.compile.pipeline.layout import missing_or_wrong
from pomona.compile.pipeline.partition_file import read_partition
from pomona.compile.pipeline.processes import StageProcesses, cores_of
from pomona.compile.pipeline.ring import MOST_SLOTS, RingEnd, copied, open_ring
from pomona.export.sessions.onnx import head_name
from pomona.foundation.errors import DataError, PomonaError, SettingError

Arrays = Mapping[str, Shaped[np.ndarray, "batch ..."]]


@dataclass(frozen=True)
class _Result:
    """What came out for an entry."""

    number: int
    message: str
    outputs: dict[str, np.ndarray]

    def checked(self) -> dict[str, np.ndarray]:
        if self.message:
            raise DataError(f"entry {self.number} cannot be computed: {self.message}")
        return {head_name(name): array for name, array in self.outputs.items()}


class Pipeline:
    """Serves the stages that `pomona partition` wrote; `path` is its run's folder or plan.json.

    Entries come out in the order in which they went in. `num_slots` is how many entries lie between two
    stages at most; when the first ring is full, giving waits. `cores` are numbers of cores, a stage each in
    turn; without them those this process may use. `devices` are where stages compute, such as
    ("cpu", "cuda:0"), a stage each; without them all on their cores. Raises ArtifactError for what is no
    partition, PomonaError when a stage ends before its time.

    >>> with Pipeline("runs/partition-model-1a2b") as pipeline:  # doctest: +SKIP
    ...     for outputs in pipeline.map(batches):
    ...         print(outputs["label"])
    """

    def __init__(
        self,
        path: str | Path,
        *,
        num_slots: int = 4,
        cores: Sequence[int] | None = None,
        devices: Sequence[str] | None = None,
    ):
        if os.name != "posix":
            raise SettingError("a pipeline hands pipes on to its processes, which this system cannot do")
        if not 1 <= num_slots <= MOST_SLOTS:
            raise SettingError(f"num_slots is from 1 to {MOST_SLOTS}, got {num_slots}")
        self.partition, folder = read_partition(path)
        self._results: deque[_Result] = deque()
        self._num_given = self._num_taken = 0
        num_stages = len(self.partition.stages)
        on, at = cores_of(num_stages, cores), tuple(devices or ("cpu",) * num_stages)
        if len(at) != num_stages:
            raise SettingError(f"the partition has {num_stages} stages, {len(at)} devices are given")
        rings = [open_ring(tensors, num_slots) for tensors in self.partition.crossings]
        self._processes = StageProcesses(self.partition, folder, rings, num_slots, on, at)
        self._first = RingEnd(self.partition.crossings[0], num_slots, rings[0].of_filler)
        self._last = RingEnd(self.partition.crossings[-1], num_slots, rings[-1].of_emptier)
        self._is_open = True
        try:
            self._processes.wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def inputs(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Input → the shape and dtype of an entry's array."""
        return {one.name: (one.shape, np.dtype(one.dtype)) for one in self.partition.crossings[0]}

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The stages' processes as the system numbers them."""
        return self._processes.process_ids

    def submit(self, inputs: Arrays) -> int:
        """Puts an entry in and returns its number, from 0. Waits while the first ring is full.

        Raises DataError when an input is missing or has another shape or type.
        """
        self._check_open()
        if wrong := missing_or_wrong(self.partition.crossings[0], dict(inputs)):
            raise DataError(f"an entry does not fit this pipeline: {wrong}")
        while self._first.take_file not in _ready(self._first.take_file, timeout_ms=0):
            # what is finished makes room; without this giving would wait for who waits for it
            if self._last.take_file in _ready(self._first.take_file, self._last.take_file):
                self._take_result()
        return self._give(inputs)

    def results(self) -> Iterator[dict[str, np.ndarray]]:
        """Output → array for every entry that was put in and not yet fetched, in order; waits for them.

        Raises DataError for an entry that a stage could not compute; the ones after it can still be had.
        """
        while self._results or self._num_taken < self._num_given:
            if not self._results:
                self._take_result()
            yield self._results.popleft().checked()

    def map(self, entries: Iterable[Arrays]) -> Iterator[dict[str, np.ndarray]]:
        """The outputs of entries, in order, while later entries are under way.

        Of `entries` no more is read than fits into the pipeline. Raises as `submit` and `results` do.
        """
        for entry in entries:
            self.submit(entry)
            while self._results:
                yield self._results.popleft().checked()
        yield from self.results()

    def close(self) -> None:
        """Lets the stages finish what they have, and ends them; nothing stays."""
        if not self._is_open:
            return
        self._is_open = False
        self._first.close()
        self._last.close()
        self._processes.end()

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_is_open", False):
            self.close()

    def _give(self, inputs: Arrays) -> int:
        slot = self._first.take()
        if slot is None:
            self._fail()
        for name, array in self._first.slots[slot].items():
            array[...] = inputs[name]
        self._first.set_message(slot, "")
        if not self._first.give(slot):
            self._fail()
        self._num_given += 1
        return self._num_given - 1

    def _take_result(self) -> None:
        self._check_open()
        slot = self._last.take()
        if slot is None:
            self._fail()
        message = self._last.message(slot)
        outputs = {} if message else copied(self._last.slots[slot])
        self._results.append(_Result(self._num_taken, message, outputs))
        self._num_taken += 1
        self._last.give(slot)

    def _check_open(self) -> None:
        if not self._is_open:
            raise PomonaError("the pipeline is closed: open another one")

    def _fail(self) -> NoReturn:
        reason = self._processes.why_ended()
        self.close()
        raise PomonaError(reason)


def _ready(*files: int, timeout_ms: int | None = None) -> set[int]:
    """Those of the descriptors that can be read, or whose other end is closed, once there is one."""
    waiting = select.poll()
    for file in files:
        waiting.register(file, select.POLLIN)
    return {file for file, _ in waiting.poll(timeout_ms)}
