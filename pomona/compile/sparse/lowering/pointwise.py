"""1x1 convolutions as tasks: one for a block of pixels and a share of the output channels."""

import numpy as np
from jaxtyping import Int

from pomona.compile.sparse.choice import Choice
from pomona.compile.sparse.columns import Columns, encode, groups_of
from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.pointwise import pointwise
from pomona.compile.sparse.layout import Layout
from pomona.compile.sparse.lowering.task import Place, Stage, Task
from pomona.compile.sparse.plan import Step

UNEVEN = 0.94
"""Threads share blocks where the busiest has at most 1 / UNEVEN of the mean, else output channels."""


def lower_pointwise(step: Step, place: Place, choice: Choice) -> Stage:
    """The stage of a 1x1 convolution whose input is packed."""
    source = step.inputs[0]
    weight = np.asarray(step.weights["weight"], np.float32).reshape(len(step.weights["weight"]), -1)
    layout = place.layouts[source]
    parts = _num_parts(layout, place.num_threads, weight.nbytes)
    tables = [
        encode(
            weight,
            groups,
            chunk=choice.chunk,
            pitch=layout.pitch,
            keeps_zeros=choice.kernel == "dense",
        )
        for groups in _shares(weight, choice.rows, parts)
    ]
    addresses = [_addresses(table, place) for table in tables]
    common = _ends(step, place, len(weight))
    threads: list[list[Task]] = [[] for _ in range(place.num_threads)]
    for block in range(layout.num_blocks):
        for part, table in enumerate(addresses):
            thread = part if parts > 1 else block * place.num_threads // layout.num_blocks
            threads[thread].append(_task(step, place, choice, block, table, common))
    return threads


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


def _addresses(table: Columns, place: Place) -> tuple[int, ...]:
    return (
        place.constant(table.groups),
        place.constant(table.columns),
        place.constant(table.weights),
        place.constant(table.chunks),
        len(table.chunks) if len(table.groups) else 0,
    )


def _ends(step: Step, place: Place, num_outputs: int) -> tuple[int, int]:
    return (
        place.floats(step.weights.get("bias"), num_outputs),
        place.floats(step.weights.get("slope"), num_outputs) if step.activation == "prelu" else 0,
    )


def _task(
    step: Step,
    place: Place,
    choice: Choice,
    block: int,
    table: tuple[int, ...],
    ends: tuple[int, int],
) -> Task:
    lanes, layout = place.machine.lanes, place.layouts[step.inputs[0]]
    output = place.layouts[step.output]
    num_pixels = layout.num_pixels(block)
    vectors = -(-num_pixels // lanes)
    last = num_pixels - (vectors - 1) * lanes
    corner = layout.first_pixel(block)
    residual, residual_stride, others = 0, 0, [output]
    if step.residual is not None:
        other = place.layouts[step.residual]
        residual, residual_stride = place.addresses[step.residual] + other.offset(*corner), 4 * other.pitch
        others.append(other)
    # where the other end has the same blocks, padded to whole vectors, the last one may be written whole
    is_masked = last < lanes and any(other.tile != layout.tile or other.pitch % lanes for other in others)
    kernel = pointwise(
        lanes,
        rows=choice.rows,
        vectors=vectors,
        is_masked=is_masked,
        activation=kernel_activation(step.activation),
    )
    groups, columns, weights, chunks, num_chunks = table
    return Task(
        kernel,
        (
            place.addresses[step.inputs[0]] + block * layout.block_bytes,
            place.addresses[step.output] + output.offset(*corner),
            4 * output.pitch,
            residual,
            residual_stride,
            *ends,
            groups,
            columns,
            weights,
            chunks,
            num_chunks,
            last,
            parameters(dict(step.settings)),
        ),
        cost=num_pixels,
    )
