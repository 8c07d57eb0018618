"""A plan as one native program: every thread walks its list of kernels, with barriers between steps."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pomona.compile.sparse.arena import Lifetime, offsets
from pomona.compile.sparse.arrangement import Arrangement, arrange, is_single_pixel
from pomona.compile.sparse.choice import Choice, default_tile, guess
from pomona.compile.sparse.kernels.walk import Barrier, await_round, barrier, stamp, walk
from pomona.compile.sparse.layout import Tile, as_image
from pomona.compile.sparse.lowering.steps import lower
from pomona.compile.sparse.lowering.task import Place, Stage, aligned_bytes
from pomona.compile.sparse.machine import Kernel, Library, Machine, this_machine
from pomona.compile.sparse.plan import Plan
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
        pause = place.machine.pause
        meet, walker, waiter = barrier(pause), walk(), await_round(pause)
        clock = stamp(time.CLOCK_MONOTONIC)
        kernels = [task.kernel for stage in stages for thread in stage for task in thread]
        self._library = Library([*kernels, meet, walker, waiter, clock], place.machine)
        linked = self._link(stages, meet)
        self._lists = [
            np.array([pair for step in linked for pair in step[thread]], np.int64).reshape(-1, 2)
            for thread in range(place.num_threads)
        ]
        self._stamps = np.zeros((len(stages) + 1, 2), np.int64)
        self._stamped = self._with_stamps(linked, clock)
        self._crew = Crew(
            self._library.function(walker, 2),
            self._library.function(waiter),
            [(table.ctypes.data, len(table)) for table in self._lists],
            self._library,
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
        constants = sum(array.nbytes for array in self._place.constants)
        return self._arena.nbytes + constants + sum(table.nbytes for table in self._lists)

    def step_times(self, repeats: int = 20) -> list[StepTime]:
        """The least time of each step within whole runs on whatever the inputs hold."""
        steps = self.arrangement.plan.steps
        spans = np.full(len(steps), np.inf)
        for _ in range(repeats):
            self._crew.run((self._stamped.ctypes.data, len(self._stamped)))
            seconds = self._stamps @ np.array([1.0, 1e-9])
            spans = np.minimum(spans, np.diff(seconds))
        return [
            StepTime(step.op, step.name, step.output, 1e6 * float(span))
            for step, span in zip(steps, spans, strict=True)
        ]

    def close(self) -> None:
        """Ends the program's threads."""
        self._crew.close()

    def _view(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        start = self._place.addresses[name] - self._arena.ctypes.data
        size = 4 * int(np.prod(shape, dtype=np.int64))
        return self._arena[start : start + size].view(np.float32).reshape(shape)

    def _link(self, stages: Sequence[Stage], meet: Kernel) -> list[list[list[tuple[int, int]]]]:
        """For every step and thread the (kernel, table) addresses of its tasks, a barrier last."""
        place, num_threads = self._place, self._place.num_threads
        state = np.zeros(Barrier.SIZE, np.int64)
        state[Barrier.NUM_THREADS] = num_threads
        barriers = [(self._library.address(meet), place.constant(state))] if num_threads > 1 else []
        return [
            [
                [
                    (self._library.address(task.kernel), place.constant(np.array(task.entries, np.int64)))
                    for task in tasks
                ]
                + barriers
                for tasks in stage
            ]
            for stage in stages
        ]

    def _with_stamps(self, linked: list[list[list[tuple[int, int]]]], clock: Kernel) -> np.ndarray:
        """The first thread's list with the time taken before, between and after the steps."""
        address = self._library.address(clock)
        tables = [
            self._place.constant(np.array([self._stamps[index].ctypes.data], np.int64))
            for index in range(len(linked) + 1)
        ]
        entries = [(address, tables[0])]
        for step, table in zip(linked, tables[1:], strict=True):
            entries += [*step[0], (address, table)]
        return np.array(entries, np.int64)


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
