"""A plan as one native program: threads walk its stages together, without Python between the steps."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pomona.compile.sparse.choice import Choice
from pomona.compile.sparse.kernels.walk import await_run, walk
from pomona.compile.sparse.lowered import Lowered, lower_plan
from pomona.compile.sparse.machine import Library, Machine, this_machine
from pomona.compile.sparse.plan import Plan
from pomona.compile.sparse.queues import Queues
from pomona.compile.sparse.threads import Crew
from pomona.foundation.errors import DataError, SettingError


def compile_plan(
    plan: Plan,
    *,
    threads: int = 1,
    choices: Mapping[str, Choice] | None = None,
    machine: Machine | None = None,
) -> "Program":
    """The program that computes `plan` with this many threads.

    `choices` says, for the outputs of 1x1 convolutions, how each is computed (`tune` measures them); what it
    does not say is guessed from the weights. Choices for one size of image must have one tile; the first one
    counts.
    """
    if threads < 1:
        raise SettingError(f"threads must be at least 1, not {threads}")
    target = machine or this_machine()
    return Program(lower_plan(plan, threads=threads, choices=choices or {}, machine=target))


@dataclass(frozen=True)
class StepTime:
    """What a step took. Steps that the program added, to pack pixels, have no name."""

    op: str
    name: str
    output: str
    microseconds: float


class Program:
    """Runs a plan, for one caller at a time; `close` (or the collector) ends its threads."""

    def __init__(self, lowered: Lowered):
        self.plan, self.choices = lowered.plan, lowered.choices
        place = lowered.place
        # not the plan that was lowered: its dense weights are copied where kernels read them
        self._arena, self._constants, self._addresses = lowered.arena, place.constants, place.addresses
        self._steps = [(step.op, step.name, step.output) for step in lowered.arranged.steps]
        walker = walk(place.machine.pause, time.CLOCK_MONOTONIC)
        waiter = await_run(place.machine.pause)
        kernels = [task.kernel for stage in lowered.stages for thread in stage for task in thread]
        self._library = Library([*kernels, walker, waiter], place.machine)
        self._queues = Queues(lowered.stages, place, self._library)
        self._stamps = np.zeros((place.num_threads, len(lowered.stages), 2), np.int64)
        self._crew = Crew(
            self._library.function(walker, 2),
            self._library.function(waiter),
            [
                self._queues.table(thread, self._stamps[thread] if thread else None)
                for thread in range(place.num_threads)
            ],
            self._queues.counters,
            self._queues.done,
            (self._library, self._arena, self._constants, self._queues, self._stamps),
        )
        self._lock = threading.Lock()
        self._inputs = [self._view(tensor.name, tensor.shape) for tensor in self.plan.inputs]
        self._outputs = [self._view(name, self.plan.shape(name)) for name in self.plan.outputs]

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """The plan's outputs for these inputs, float32 of the plan's shapes; new arrays."""
        if len(inputs) != len(self._inputs):
            raise DataError(f"the network takes {len(self._inputs)} inputs, not {len(inputs)}")
        for view, given in zip(self._inputs, inputs, strict=True):
            if given.size != view.size:
                raise DataError(f"the network takes an input of shape {view.shape}, not {given.shape}")
        with self._lock:
            for view, given in zip(self._inputs, inputs, strict=True):
                np.copyto(view, given.reshape(view.shape))
            self._crew.run()
            return tuple(view.copy() for view in self._outputs)

    @property
    def memory_bytes(self) -> int:
        """Activations, weights and tables; not the kernels' code, a few kilobytes."""
        return self._arena.nbytes + sum(array.nbytes for array in self._constants)

    def step_times(self, repeats: int = 20) -> list[StepTime]:
        """The least time of each step within whole runs on whatever the inputs hold."""
        spans = np.full(len(self._steps), np.inf)
        table = self._queues.table(0, self._stamps[0])
        for _ in range(repeats):
            began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self._crew.run(table)
            spans = np.minimum(spans, np.diff(self._ends(began), prepend=0))
        return [StepTime(*step, 1e-3 * float(span)) for step, span in zip(self._steps, spans, strict=True)]

    def _ends(self, began: int) -> np.ndarray:
        """Nanoseconds from `began` to when the first of the threads went past each stage."""
        passed = self._stamps @ np.array([10**9, 1]) - began
        # a thread that left late has an older run's times; the first thread has been everywhere
        earliest = np.where(passed < 0, passed[0], passed).min(axis=0)
        return np.maximum.accumulate(earliest)

    def close(self) -> None:
        """Ends the program's threads."""
        self._crew.close()

    def _view(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        start = self._addresses[name] - self._arena.ctypes.data
        size = 4 * int(np.prod(shape, dtype=np.int64))
        return self._arena[start : start + size].view(np.float32).reshape(shape)
