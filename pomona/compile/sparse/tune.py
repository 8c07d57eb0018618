"""Choices for 1x1 convolutions by timing their kernels on this machine, remembered for the next time.

A layer is timed alone, its pixels packed as in a network. Layers of one size of image share a tile: the one
with which all of them together take least. What is remembered is keyed by the processor, the kernels' source,
the layer's shape and how sparse it is, so that another network with like layers finds it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

import numpy as np

from pomona.compile.sparse.choice import (
    Choice,
    default_chunk,
    kernel_candidates,
    modelled_work,
    most_vectors,
)
from pomona.compile.sparse.kernels.pointwise import pointwise
from pomona.compile.sparse.layout import Tile, as_image, num_vectors, tiles
from pomona.compile.sparse.machine import Machine, this_machine
from pomona.compile.sparse.plan import Plan, Step, Tensor
from pomona.compile.sparse.program import compile_plan
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.console import Console
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, write_json

REPEATS = 12
SLOWER = 1.35
"""Kernels whose modelled work is more than this times the least are not timed."""

Timed = tuple[Choice, float]


def tune(
    plan: Plan, *, threads: int = 1, machine: Machine | None = None, console: Console | None = None
) -> dict[str, Choice]:
    """A choice for the output of every 1x1 convolution, the fastest measured; `compile_plan` takes them.

    Takes tenths of a second for each kind of layer that this machine has not met; the console shows how far
    it is. What was timed before an interrupt is not timed again.
    """
    target = machine or this_machine()
    memory = _Memory(target, threads)
    layers = [step for step in plan.steps if step.op == "pointwise" and _has_pixels(plan, step)]
    timed = _all_timed(plan, layers, memory, console or Console(quiet=True))
    sizes = {as_image(plan.shape(step.output))[1:] for step in layers}
    chosen: dict[str, Choice] = {}
    for size in sizes:
        alike = [step.output for step in layers if as_image(plan.shape(step.output))[1:] == size]
        tile = _common_tile([timed[output] for output in alike])
        for output in alike:
            chosen[output] = _fastest(one for one in timed[output] if one[0].tile == tile)[0]
    return chosen


def _all_timed(plan: Plan, layers: list[Step], memory: "_Memory", console: Console) -> dict[str, list[Timed]]:
    """Output of a layer → its candidates with their times, kept for the next start whatever happens."""
    unknown = {key for step in layers if (key := memory.key(plan, step)) not in memory.known}
    if not unknown:
        return {step.output: memory.timed(plan, step) for step in layers}
    timed: dict[str, list[Timed]] = {}
    try:
        with console.progress("timing kernels for this machine, once", len(unknown), "layers") as bar:
            for step in layers:
                is_new = memory.key(plan, step) not in memory.known
                timed[step.output] = memory.timed(plan, step)
                bar.advance(is_new)
    finally:
        memory.save()
    return timed


def _has_pixels(plan: Plan, step: Step) -> bool:
    return as_image(plan.shape(step.output))[1:] != (1, 1)


def _common_tile(layers: list[list[Timed]]) -> Tile:
    """The tile with which the layers' fastest kernels together take least."""

    def total(tile: Tile) -> float:
        return sum(_fastest(one for one in timed if one[0].tile == tile)[1] for timed in layers)

    return min({choice.tile for choice, _ in layers[0]}, key=lambda tile: (total(tile), astuple(tile)))


def _fastest(timed: Iterable[Timed]) -> Timed:
    return min(timed, key=lambda one: one[1])


class _Memory:
    """What was measured on this machine, in a file of the cache."""

    def __init__(self, machine: Machine, threads: int):
        self.machine, self.threads = machine, threads
        sample = pointwise(machine.lanes, rows=1, vectors=2, is_masked=True, activation="clip")
        source = f"{machine.cpu}\n{machine.features}\n{threads}\n{sample.text}"
        self.path = Path(
            cache_folder() / "tuned" / f"{hashlib.sha256(source.encode()).hexdigest()[:24]}.json"
        )
        self.known: dict[str, list] = {}
        self.is_changed = False
        try:
            self.known = read_json(self.path)
        except (OSError, json.JSONDecodeError):
            pass

    def key(self, plan: Plan, step: Step) -> str:
        """What a layer's times are remembered by."""
        return _key(*_weight_and_size(plan, step), step)

    def timed(self, plan: Plan, step: Step) -> list[Timed]:
        """Every candidate for the step and its microseconds, measured or remembered."""
        weight, size = _weight_and_size(plan, step)
        key = _key(weight, size, step)
        if key not in self.known:
            self.known[key] = [
                [choice.kernel, choice.rows, *astuple(choice.tile), choice.chunk, time]
                for choice, time in _measured(weight, size, step, self.threads, self.machine)
            ]
            self.is_changed = True
        return [
            (Choice(kernel, rows, Tile(high, wide), chunk), time)
            for kernel, rows, high, wide, chunk, time in self.known[key]
        ]

    def save(self) -> None:
        """Keeps what is new; a cache that cannot be written costs time at the next start, nothing else."""
        if self.is_changed:
            try:
                write_json(self.path, self.known)
            except PomonaError:
                pass


def _weight_and_size(plan: Plan, step: Step) -> tuple[np.ndarray, tuple[int, int]]:
    weight = np.asarray(step.weights["weight"], np.float32)
    return weight.reshape(len(weight), -1), as_image(plan.shape(step.output))[1:]


def _key(weight: np.ndarray, size: tuple[int, int], step: Step) -> str:
    """Shape, activation, and to a twentieth the share of columns that groups of 1, 2 and 4 rows have."""
    shares = [20 * modelled_work(weight, "sparse", rows) for rows in (1, 2, 4)]
    steps = [round(share / modelled_work(weight, "dense", 4)) for share in shares]
    parts = (*weight.shape, *size, step.activation, step.residual is not None, *steps)
    return " ".join(map(str, parts))


def _measured(
    weight: np.ndarray, size: tuple[int, int], step: Step, threads: int, machine: Machine
) -> list[Timed]:
    lanes = machine.lanes
    plan = _alone(weight, size, step)
    images = [np.full(tensor.shape, 0.5, np.float32) for tensor in plan.inputs]
    timed = []
    for tile in _worthwhile(tiles(*size, lanes, most_vectors(lanes)), size, lanes):
        vectors = num_vectors(tile, lanes)
        candidates = kernel_candidates(weight, vectors, lanes)
        work = {candidate: modelled_work(weight, *candidate) for candidate in candidates}
        for kernel, rows in candidates:
            if work[kernel, rows] > SLOWER * min(work.values()):
                continue
            for chunk in _chunks(weight.shape[1], vectors * lanes):
                choice = Choice(kernel, rows, tile, chunk)
                program = compile_plan(plan, threads=threads, choices={"y": choice}, machine=machine)
                program.run(*images)
                times = program.step_times(REPEATS)
                program.close()
                timed.append((choice, next(time.microseconds for time in times if time.op == "pointwise")))
    return timed


def _alone(weight: np.ndarray, size: tuple[int, int], step: Step) -> Plan:
    """The layer between steps that need its ends plain, so that packing is not in its time."""
    outputs, inputs = weight.shape
    tensors = {
        name: Tensor(name, (channels, *size))
        for name, channels in (("x", inputs), ("y", outputs), ("z", outputs))
    }
    weights = {**step.weights, "weight": weight}
    layer = Step("pointwise", ("x",), "y", weights, step.settings, "z" if step.residual else None)
    return Plan((tensors["x"], *([tensors["z"]] if step.residual else [])), tensors, (layer,), ("y",))


def _worthwhile(found: list[Tile], size: tuple[int, int], lanes: int) -> list[Tile]:
    """The tiles that waste least, at most three."""

    def waste(tile: Tile) -> float:
        whole, rest = divmod(size[0], tile.rows)
        vectors = whole * num_vectors(tile, lanes) + num_vectors(Tile(rest, tile.columns), lanes)
        blocks = whole + (rest > 0)
        return -(-size[1] // tile.columns) * (vectors + 0.5 * blocks)

    return sorted(found, key=waste)[:3]


def _chunks(num_inputs: int, pitch: int) -> list[int]:
    """Chunks of even size about as large as the first cache, and a half more."""
    usual = default_chunk(num_inputs, pitch)
    larger = -(-num_inputs // max(1, round(num_inputs / (1.5 * usual))))
    return sorted({usual, larger})
