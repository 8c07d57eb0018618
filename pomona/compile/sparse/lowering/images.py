"""Depthwise and dense convolutions as tasks."""

from collections.abc import Iterable

import numpy as np

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.convolution import convolution
from pomona.compile.sparse.kernels.depthwise import depthwise
from pomona.compile.sparse.layout import FLOAT_BYTES
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Setting, Step

FAST_SIZES = (3, 5)
FAST_STRIDES = (1, 2)
CHANNELS_TOGETHER = (16, 8, 4, 2, 1)
NARROW_TOGETHER = (8, 4, 2, 1)
"""With AVX2, and 4 lanes on the same processors, sixteen accumulators would leave no register for pixels."""


def lower_depthwise(step: Step, place: Place) -> Stage:
    """The stage of a depthwise convolution: runs of channels for every thread."""
    weight = np.asarray(step.weights["weight"], np.float32)
    if not _is_fast(step, weight):
        return lower_convolution(_as_grouped(step, weight), place)
    source, output = place.layouts[step.inputs[0]], place.layouts[step.output]
    top, left, _, _ = pair4(step.settings["padding"])
    kernel = depthwise(
        place.machine.lanes,
        size=weight.shape[1],
        stride=pair(step.settings["stride"])[0],
        activation=kernel_activation(step.activation),
    )
    weights, bias, slope = _constants(step, place, weight, len(weight))
    tasks = []
    for start, stop in place.shares(len(weight)):
        entries = (
            place.addresses[step.inputs[0]] + start * FLOAT_BYTES * source.pitch,
            FLOAT_BYTES * source.pitch,
            source.height,
            source.width,
            top,
            left,
            output.height,
            output.width,
            stop - start,
            weights + FLOAT_BYTES * start * weight[0].size,
            bias + FLOAT_BYTES * start,
            slope + FLOAT_BYTES * start,
            parameters(dict(step.settings)),
            *output.row_entries(place.addresses[step.output], start),
        )
        tasks.append(Task(kernel, entries, cost=stop - start))
    return split(tasks, place.num_threads)


def lower_convolution(step: Step, place: Place) -> Stage:
    """The stage of a dense convolution: tasks of some output channels and, for threads, of some rows."""
    weight = np.asarray(step.weights["weight"], np.float32)
    num_groups = int(step.settings.get("groups", 1))  # pyright: ignore[reportArgumentType]
    outputs_each, inputs_each = len(weight) // num_groups, weight.shape[1]
    num_outputs = len(weight)
    _, bias, slope = _constants(step, place, weight[:0], num_outputs)
    height = place.layouts[step.output].height
    tasks = []
    for group in range(num_groups):
        for start, stop in _channel_runs(outputs_each, place.machine.lanes):
            first = group * outputs_each + start
            part = weight[first : first + stop - start]
            # input channel, kernel row, kernel column, output channel
            weights = place.constant(np.ascontiguousarray(part.transpose(1, 2, 3, 0)))
            for rows in place.shares(height):
                tasks.append(
                    _convolution_task(
                        step, place, part, first, group * inputs_each, rows, weights, bias, slope
                    )
                )
    return split(tasks, place.num_threads)


def _convolution_task(step, place, part, first, first_input, rows, weights, bias, slope) -> Task:
    source, output = place.layouts[step.inputs[0]], place.layouts[step.output]
    top, left, _, _ = pair4(step.settings["padding"])
    stride, dilation = pair(step.settings["stride"]), pair(step.settings.get("dilation", (1, 1)))
    is_plain_stride = stride[1] == 1 or (stride[1] == 2 and dilation[1] == 1)
    kernel = convolution(
        place.machine.lanes,
        rows=len(part),
        width=part.shape[3],
        stride=stride[1] if is_plain_stride else 0,
        activation=kernel_activation(step.activation),
    )
    residual = [0] * 7
    if step.residual is not None:
        residual = place.layouts[step.residual].row_entries(place.addresses[step.residual], first)
    entries = (
        place.addresses[step.inputs[0]] + first_input * FLOAT_BYTES * source.pitch,
        FLOAT_BYTES * source.pitch,
        source.height,
        source.width,
        part.shape[1],
        top,
        left,
        *stride,
        *dilation,
        part.shape[2],
        *rows,
        output.width,
        weights,
        bias + FLOAT_BYTES * first,
        slope + FLOAT_BYTES * first,
        parameters(dict(step.settings)),
        *output.row_entries(place.addresses[step.output], first),
        *residual,
    )
    return Task(kernel, entries, cost=len(part) * (rows[1] - rows[0]))


def _is_fast(step: Step, weight: np.ndarray) -> bool:
    stride = pair(step.settings["stride"])
    return (
        weight.shape[1] == weight.shape[2]
        and weight.shape[1] in FAST_SIZES
        and stride[0] == stride[1]
        and stride[0] in FAST_STRIDES
        and pair(step.settings.get("dilation", (1, 1))) == (1, 1)
    )


def _as_grouped(step: Step, weight: np.ndarray) -> Step:
    settings = {**step.settings, "groups": len(weight)}
    return Step(
        "convolution",
        step.inputs,
        step.output,
        {**step.weights, "weight": weight[:, None]},
        settings,
        step.residual,
        name=step.name,
    )


def _constants(step: Step, place: Place, weight: np.ndarray, num_outputs: int) -> tuple[int, int, int]:
    slope = place.floats(step.weights["slope"], num_outputs) if step.activation == "prelu" else 0
    return place.constant(weight), place.floats(step.weights.get("bias"), num_outputs), slope


def _channel_runs(count: int, lanes: int) -> Iterable[tuple[int, int]]:
    start = 0
    for size in CHANNELS_TOGETHER if lanes == 16 else NARROW_TOGETHER:
        while count - start >= size:
            yield start, start + size
            start += size


def pair(value: Setting) -> tuple[int, int]:
    """A setting (down, across)."""
    assert isinstance(value, tuple)
    return value[0], value[1]


def pair4(value: Setting) -> tuple[int, int, int, int]:
    """A padding (top, left, bottom, right)."""
    assert isinstance(value, tuple)
    return value[0], value[1], value[2], value[3]
