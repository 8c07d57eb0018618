"""Depthwise and dense convolutions as tasks."""

from collections.abc import Iterable

import numpy as np

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.convolution import convolution
from pomona.compile.sparse.kernels.depthwise import depthwise
from pomona.compile.sparse.kernels.rows import LAYOUT_ENTRIES
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
    layer = _Convolution(step, place)
    tasks = []
    for group in range(layer.num_groups):
        for start, stop in _channel_runs(layer.outputs_each, place.machine.lanes):
            first = group * layer.outputs_each + start
            tasks += layer.tasks(first, stop - start, group)
    return split(tasks, place.num_threads)


class _Convolution:
    """A dense convolution whose tasks are some output channels and rows."""

    def __init__(self, step: Step, place: Place):
        self.step, self.place = step, place
        self.weight = np.asarray(step.weights["weight"], np.float32)
        self.num_groups = int(step.settings.get("groups", 1))  # pyright: ignore[reportArgumentType]
        self.outputs_each = len(self.weight) // self.num_groups
        self.source, self.output = place.layouts[step.inputs[0]], place.layouts[step.output]
        _, self.bias, self.slope = _constants(step, place, self.weight[:0], len(self.weight))

    def tasks(self, first: int, count: int, group: int) -> list[Task]:
        """Tasks of `count` output channels from `first` on, a run of rows each."""
        part, place = self.weight[first : first + count], self.place
        stride = pair(self.step.settings["stride"])
        dilation = pair(self.step.settings.get("dilation", (1, 1)))
        is_loaded_whole = stride[1] == 1 or (stride[1] == 2 and dilation[1] == 1)
        kernel = convolution(
            place.machine.lanes,
            rows=count,
            width=part.shape[3],
            stride=stride[1] if is_loaded_whole else 0,
            activation=kernel_activation(self.step.activation),
        )
        # input channel, kernel row, kernel column, output channel
        weights = place.constant(np.ascontiguousarray(part.transpose(1, 2, 3, 0)))
        window = (*self._window(group), *stride, *dilation, part.shape[2])
        ends = self._ends(first)
        return [
            Task(kernel, (*window, *rows, self.output.width, weights, *ends), count * (rows[1] - rows[0]))
            for rows in place.shares(self.output.height)
        ]

    def _window(self, group: int) -> tuple[int, ...]:
        """The entries from `INPUT` to `LEFT`."""
        top, left, _, _ = pair4(self.step.settings["padding"])
        inputs, channel = self.weight.shape[1], FLOAT_BYTES * self.source.pitch
        begin = self.place.addresses[self.step.inputs[0]] + group * inputs * channel
        return begin, channel, self.source.height, self.source.width, inputs, top, left

    def _ends(self, first: int) -> tuple[int, ...]:
        """The entries from `BIAS` on."""
        step, place = self.step, self.place
        residual = [0] * LAYOUT_ENTRIES
        if step.residual is not None:
            residual = place.layouts[step.residual].row_entries(place.addresses[step.residual], first)
        return (
            self.bias + FLOAT_BYTES * first,
            self.slope + FLOAT_BYTES * first,
            parameters(dict(step.settings)),
            *self.output.row_entries(place.addresses[step.output], first),
            *residual,
        )


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
