"""1x1 convolutions as tasks: one for a block of pixels and a share of the output channels."""

import numpy as np
from jaxtyping import Int

from pomona.compile.sparse.choice import Choice
from pomona.compile.sparse.columns import encode, groups_of
from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.pointwise import pointwise
from pomona.compile.sparse.layout import FLOAT_BYTES, Layout
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step

UNEVEN = 0.94
"""Threads share blocks where the busiest has at most 1 / UNEVEN of the mean, else output channels."""


def lower_pointwise(step: Step, place: Place, choice: Choice) -> Stage:
    """The stage of a 1x1 convolution whose input is packed."""
    layer = _Layer(step, place, choice)
    blocks = range(layer.source.num_blocks)
    parts = _num_parts(layer.source, place.num_threads, layer.weight.nbytes)
    tables = [layer.table(groups) for groups in _shares(layer.weight, choice.rows, parts)]
    if parts == 1:
        return split([layer.task(block, tables[0]) for block in blocks], place.num_threads)
    return [[layer.task(block, table) for block in blocks] for table in tables]


def _num_parts(layout: Layout, num_threads: int, weight_bytes: int) -> int:
    """Into how many shares the output channels go: one, or one a thread."""
    busiest = -(-layout.num_blocks // num_threads)
    is_even = layout.num_blocks / num_threads >= UNEVEN * busiest
    has_more_pixels = layout.size_bytes > weight_bytes
    return 1 if num_threads == 1 or (is_even and has_more_pixels) else num_threads


def _shares(weight: np.ndarray, rows: int, num_parts: int) -> list[Int[np.ndarray, "group row"]]:
    """The groups of every part, heavy and light ones dealt out alike."""
    groups = groups_of(len(weight), rows)
    if num_parts == 1:
        return [groups]
    heaviest = np.argsort(-(weight[groups] != 0).any(1).sum(1), kind="stable")
    return [groups[np.sort(heaviest[part::num_parts])] for part in range(num_parts)]


class _Layer:
    """A 1x1 convolution whose tasks are blocks of pixels, each with a share of the output channels."""

    def __init__(self, step: Step, place: Place, choice: Choice):
        self.step, self.place, self.choice = step, place, choice
        self.source, self.output = place.layouts[step.inputs[0]], place.layouts[step.output]
        weight = np.asarray(step.weights["weight"], np.float32)
        self.weight = weight.reshape(len(weight), -1)
        self.bias = place.floats(step.weights.get("bias"), len(weight))
        self.slope = place.floats(step.weights["slope"], len(weight)) if step.activation == "prelu" else 0

    def table(self, groups: Int[np.ndarray, "group row"]) -> tuple[int, ...]:
        """The entries from `GROUPS` to `NUM_CHUNKS` of the kernel's table for some groups of channels."""
        place, choice = self.place, self.choice
        columns = encode(
            self.weight,
            groups,
            chunk=choice.chunk,
            pitch=self.source.pitch,
            keeps_zeros=choice.kernel == "dense",
        )
        arrays = (columns.groups, columns.columns, columns.weights, columns.chunks)
        return (*map(place.constant, arrays), len(columns.chunks) if len(groups) else 0)

    def task(self, block: int, table: tuple[int, ...]) -> Task:
        """The task of a block of pixels."""
        step, place, lanes = self.step, self.place, self.place.machine.lanes
        num_pixels, corner = self.source.num_pixels(block), self.source.first_pixel(block)
        vectors = -(-num_pixels // lanes)
        last = num_pixels - (vectors - 1) * lanes
        kernel = pointwise(
            lanes,
            rows=self.choice.rows,
            vectors=vectors,
            is_masked=last < lanes and not self._ends_alike(),
            activation=kernel_activation(step.activation),
        )
        entries = (
            place.addresses[step.inputs[0]] + block * self.source.block_bytes,
            place.addresses[step.output] + self.output.offset(*corner),
            FLOAT_BYTES * self.output.pitch,
            *self._residual(corner),
            self.bias,
            self.slope,
            *table,
            last,
            parameters(dict(step.settings)),
        )
        return Task(kernel, entries, cost=num_pixels)

    def _ends_alike(self) -> bool:
        """Whether other ends have the same blocks, padded to vectors: the last may then be written whole."""
        names = (self.step.output, *filter(None, [self.step.residual]))
        layouts = [self.place.layouts[name] for name in names]
        lanes = self.place.machine.lanes
        return all(layout.tile == self.source.tile and layout.pitch % lanes == 0 for layout in layouts)

    def _residual(self, corner: tuple[int, int]) -> tuple[int, int]:
        """Where the residual's pixels begin, and its stride; nothing without one."""
        if self.step.residual is None:
            return 0, 0
        layout = self.place.layouts[self.step.residual]
        return self.place.addresses[self.step.residual] + layout.offset(*corner), FLOAT_BYTES * layout.pitch
