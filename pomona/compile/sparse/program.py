"""A plan as one native program: threads walk its stages together, without Python between the steps."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pomona.compile.sparse.arena import Lifetime, offsets
from pomona.compile.sparse.arrangement import Arrangement, arrange, is_single_pixel
from pomona.compile.sparse.choice import Choice, default_tile, guess
from pomona.compile.sparse.kernels.walk import await_run, walk
from pomona.compile.sparse.layout import Tile, as_image
from pomona.compile.sparse.lowering.steps import lower
from pomona.compile.sparse.lowering.task import Place, Stage, aligned_bytes
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
    tiles, chosen = settle(plan, choices or {}, target.lanes)
    arrangement = arrange(plan, tiles, target.lanes)
    places, arena = _place(arrangement, target, threads)
    stages = [lower(step, places, chosen) for step in arrangement.plan.steps]
    return Program(plan, arrangement, places, arena, stages, chosen)


def settle(
    plan: Plan, choices: Mapping[str, Choice], lanes: int
) -> tuple[dict[tuple[int, int], Tile], dict[str, Choice]]:
    """One tile for every size of image that a 1x1 convolution reads, and a choice for every such step."""
    tiles: dict[tuple[int, int], Tile] = {}
    chosen: dict[str, Choice] = {}
    for step in plan.steps:
        if step.op != "pointwise" or is_single_pixel(plan, step):
            continue
        size = as_image(plan.shape(step.output))[1:]
        given = choices.get(step.output)
        tile = tiles.setdefault(size, given.tile if given else default_tile(*size, lanes))
        if given is None or given.tile != tile:
            weight = step.weights["weight"]
            given = guess(weight.reshape(len(weight), -1), *size, lanes, tile)
        chosen[step.output] = given
    return tiles, chosen


@dataclass(frozen=True)
class StepTime:
    """What a step took. Steps that the program added, to pack pixels, have no name."""

    op: str
    name: str
    output: str
    microseconds: float


class Program:
    """Runs a plan. Not for use by several callers at once; `close` (or the collector) ends its threads."""

    def __init__(
        self,
        plan: Plan,
        arrangement: Arrangement,
        place: Place,
        arena: np.ndarray,
        stages: Sequence[Stage],
        choices: Mapping[str, Choice],
    ):
        self.plan, self.arrangement, self.choices = plan, arrangement, choices
        self._place, self._arena = place, arena
        walker = walk(place.machine.pause, time.CLOCK_MONOTONIC)
        waiter = await_run(place.machine.pause)
        kernels = [task.kernel for stage in stages for thread in stage for task in thread]
        self._library = Library([*kernels, walker, waiter], place.machine)
        self._queues = Queues(stages, place, self._library)
        self._stamps = np.zeros((len(stages), 2), np.int64)
        self._crew = Crew(
            self._library.function(walker, 2),
            self._library.function(waiter),
            [self._queues.table(thread) for thread in range(place.num_threads)],
            self._queues.counters,
            self._queues.done,
            (self._library, self._queues, place, arena),
        )
        self._inputs = [self._view(tensor.name, tensor.shape) for tensor in plan.inputs]
        self._outputs = [self._view(name, plan.shape(name)) for name in plan.outputs]

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """The plan's outputs for these inputs, float32 of the plan's shapes; new arrays."""
        if len(inputs) != len(self._inputs):
            raise DataError(f"the network takes {len(self._inputs)} inputs, not {len(inputs)}")
        for view, given in zip(self._inputs, inputs, strict=True):
            if given.size != view.size:
                raise DataError(f"the network takes an input of shape {view.shape}, not {given.shape}")
            np.copyto(view, given.reshape(view.shape))
        self._crew.run()
        return tuple(view.copy() for view in self._outputs)

    @property
    def memory_bytes(self) -> int:
        """Activations, weights and tables; not the kernels' code, a few kilobytes."""
        return self._arena.nbytes + sum(array.nbytes for array in self._place.constants)

    def step_times(self, repeats: int = 20) -> list[StepTime]:
        """The least time of each step within whole runs on whatever the inputs hold."""
        steps = self.arrangement.plan.steps
        spans = np.full(len(steps), np.inf)
        table = self._queues.table(0, stamps=self._stamps)
        for _ in range(repeats):
            began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self._crew.run(table)
            ends = self._stamps @ np.array([10**9, 1]) - began
            spans = np.minimum(spans, np.diff(ends, prepend=0))
        return [
            StepTime(step.op, step.name, step.output, 1e-3 * float(span))
            for step, span in zip(steps, spans, strict=True)
        ]

    def close(self) -> None:
        """Ends the program's threads."""
        self._crew.close()

    def _view(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        start = self._place.addresses[name] - self._arena.ctypes.data
        size = 4 * int(np.prod(shape, dtype=np.int64))
        return self._arena[start : start + size].view(np.float32).reshape(shape)


def _place(arrangement: Arrangement, machine: Machine, threads: int) -> tuple[Place, np.ndarray]:
    plan = arrangement.plan
    last_step = len(plan.steps)
    touched: dict[str, list[int]] = {name: [] for name in plan.tensors}
    for tensor in plan.inputs:
        touched[tensor.name].append(-1)
    for index, step in enumerate(plan.steps):
        for name in (*step.reads, step.output):
            touched[name].append(index)
    for name in plan.outputs:
        touched[name].append(last_step)
    lifetimes = [
        Lifetime(name, arrangement.layouts[name].size_bytes, min(steps), max(steps))
        for name, steps in touched.items()
        if steps
    ]
    begins, size = offsets(lifetimes)
    arena = aligned_bytes(size)
    addresses = {name: arena.ctypes.data + begin for name, begin in begins.items()}
    return Place(plan, machine, threads, arrangement.layouts, addresses), arena
