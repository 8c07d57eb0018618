"""Depthwise and dense convolutions as tasks."""

from collections.abc import Iterable

import numpy as np

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.convolution import convolution
from pomona.compile.sparse.kernels.depthwise import depthwise
from pomona.compile.sparse.layout import FLOAT_BYTES
from pomona.compile.sparse.lowering.task import Place, Stage, Task, runs, split
from pomona.compile.sparse.plan import Setting, Step

FAST_SIZES = (3, 5)
FAST_STRIDES = (1, 2)
CHANNELS_TOGETHER = (16, 8, 4, 2, 1)


def lower_depthwise(step: Step, place: Place) -> Stage:
    """The stage of a depthwise convolution: a run of channels for every thread."""
    weight = np.asarray(step.weights["weight"], np.float32)
    if not is_fast(step):
        return lower_convolution(_as_grouped(step, weight), place)
    output = place.layouts[step.output]
    layer = DepthwiseLayer(step, place)
    tasks = []
    for start, stop in runs(len(weight), place.num_threads):
        rows = output.row_entries(place.addresses[step.output], start)
        tasks.append(layer.task((start, stop), (0, 0), (output.height, output.width), rows))
    return split(tasks, place.num_threads)


class DepthwiseLayer:
    """A depthwise convolution of a common size, whose tasks are windows of its output."""

    def __init__(self, step: Step, place: Place):
        self.step, self.place = step, place
        self.weight = np.asarray(step.weights["weight"], np.float32)
        self.weights, self.bias, self.slope = _constants(step, place, self.weight, len(self.weight))

    def task(
        self, channels: tuple[int, int], corner: tuple[int, int], shape: tuple[int, int], rows: list[int]
    ) -> Task:
        """The pixels of `shape` from `corner` on of a run of channels, written to the `rows` of a layout."""
        step, place, source = self.step, self.place, self.place.layouts[self.step.inputs[0]]
        size, stride = self.weight.shape[1], pair(step.settings["stride"])[0]
        top, left, _, _ = pair4(step.settings["padding"])
        kernel = depthwise(
            place.machine.lanes,
            size=size,
            stride=stride,
            is_short=shape[0] < 2 * (size - 1),
            activation=kernel_activation(step.activation),
        )
        start, stop = channels
        entries = (
            place.addresses[step.inputs[0]] + start * FLOAT_BYTES * source.pitch,
            FLOAT_BYTES * source.pitch,
            source.height,
            source.width,
            # a window further down has as many rows of padding less, perhaps less than none
            top - corner[0] * stride,
            left - corner[1] * stride,
            *shape,
            stop - start,
            self.weights + FLOAT_BYTES * start * size * size,
            self.bias + FLOAT_BYTES * start,
            self.slope + FLOAT_BYTES * start,
            parameters(dict(step.settings)),
            *rows,
        )
        return Task(kernel, entries, cost=stop - start)


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
        for start, stop in _channel_runs(outputs_each):
            first = group * outputs_each + start
            part = weight[first : first + stop - start]
            # input channel, kernel row, kernel column, output channel
            weights = place.constant(np.ascontiguousarray(part.transpose(1, 2, 3, 0)))
            for rows in runs(height, place.num_threads):
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


def is_fast(step: Step) -> bool:
    """Whether the depthwise kernel takes the step: else it is a convolution in as many groups as channels."""
    weight, stride = step.weights["weight"], pair(step.settings["stride"])
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


def _channel_runs(count: int) -> Iterable[tuple[int, int]]:
    start = 0
    for size in CHANNELS_TOGETHER:
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
