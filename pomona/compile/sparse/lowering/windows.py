"""Pools, group normalisation and softmax as tasks."""

import numpy as np

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.normalisation import group_normalisation, softmax
from pomona.compile.sparse.kernels.pooling import pool
from pomona.compile.sparse.layout import FLOAT_BYTES, as_image
from pomona.compile.sparse.lowering.images import pair, pair4
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step


def lower_pool(step: Step, place: Place) -> Stage:
    """The stage of a pool over windows: a run of channels for every thread."""
    source, output = place.layouts[step.inputs[0]], place.layouts[step.output]
    kernel_size, stride = pair(step.settings["kernel"]), pair(step.settings["stride"])
    top, left, _, _ = pair4(step.settings["padding"])
    kernel = pool(
        place.machine.lanes,
        operation="max" if step.op == "max_pool" else "sum",
        stride=1 if stride[1] == 1 else 0,
    )
    scales = place.constant(_scales(step, place)) if step.op == "average_pool" else 0
    tasks = []
    for start, stop in place.shares(source.channels):
        entries = (
            place.addresses[step.inputs[0]] + start * FLOAT_BYTES * source.pitch,
            FLOAT_BYTES * source.pitch,
            stop - start,
            source.height,
            source.width,
            top,
            left,
            *stride,
            *kernel_size,
            output.height,
            output.width,
            scales,
            *output.row_entries(place.addresses[step.output], start),
        )
        tasks.append(Task(kernel, entries, cost=stop - start))
    return split(tasks, place.num_threads)


def _scales(step: Step, place: Place) -> np.ndarray:
    """One over the number of cells that count, for every output pixel."""
    source, output = place.layouts[step.inputs[0]], place.layouts[step.output]
    counts = [
        _counts(size, results, axis, step)
        for axis, (size, results) in enumerate(((source.height, output.height), (source.width, output.width)))
    ]
    return (1 / np.maximum(np.multiply.outer(*counts), 1)).astype(np.float32)


def _counts(size: int, results: int, axis: int, step: Step) -> np.ndarray:
    padding, kernel = pair4(step.settings["padding"]), pair(step.settings["kernel"])[axis]
    before, after = padding[axis], padding[axis + 2]
    starts = np.arange(results) * pair(step.settings["stride"])[axis] - before
    low, high = (-before, size + after) if step.settings.get("counts_padding") else (0, size)
    return np.minimum(starts + kernel, high) - np.maximum(starts, low)


def lower_groups(step: Step, place: Place) -> Stage:
    """The stage of group normalisation: a run of groups for every thread."""
    channels, height, width = as_image(place.plan.shape(step.output))
    num_groups = int(step.settings["groups"])  # pyright: ignore[reportArgumentType]
    each = channels // num_groups
    scale, bias = place.floats(step.weights["scale"], channels), place.floats(step.weights["bias"], channels)
    slope = place.floats(step.weights["slope"], channels) if step.activation == "prelu" else 0
    size = each * height * width
    numbers = np.array([1 / size, step.settings["epsilon"]], np.float32).view(np.int64)[0]
    kernel = group_normalisation(place.machine.lanes, activation=kernel_activation(step.activation))
    tasks = []
    for start, stop in place.shares(num_groups):
        first = FLOAT_BYTES * start
        entries = (
            place.addresses[step.inputs[0]] + first * size,
            place.addresses[step.output] + first * size,
            stop - start,
            each,
            height * width,
            scale + first * each,
            bias + first * each,
            slope + first * each,
            parameters(dict(step.settings)),
            int(numbers),
        )
        tasks.append(Task(kernel, entries, cost=stop - start))
    return split(tasks, place.num_threads)


def lower_softmax(step: Step, place: Place) -> Stage:
    """The stage of softmax over channels: a run of pixels for every thread."""
    channels, height, width = as_image(place.plan.shape(step.output))
    stride = FLOAT_BYTES * height * width
    tasks = []
    for start, stop in place.shares(height * width):
        entries = (
            place.addresses[step.inputs[0]] + FLOAT_BYTES * start,
            place.addresses[step.output] + FLOAT_BYTES * start,
            stride,
            channels,
            stop - start,
        )
        tasks.append(Task(softmax(place.machine.lanes), entries, cost=stop - start))
    return split(tasks, place.num_threads)
