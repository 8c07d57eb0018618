"""Steps that move numbers about as tasks: joins, choices of channels, paddings, transpositions, resizes."""

from collections.abc import Sequence

import numpy as np

from pomona.compile.sparse.kernels.gather import copy, resize
from pomona.compile.sparse.layout import FLOAT_BYTES, as_image
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step


def lower_concat(step: Step, place: Place) -> Stage:
    """The stage that puts the inputs' channels after one another."""
    tasks, start = [], 0
    for name in step.inputs:
        channels, height, width = as_image(place.plan.shape(name))
        tasks += _copies(step, place, name, np.arange(channels), np.arange(height * width), 0.0, start)
        start += channels
    return split(tasks, place.num_threads)


def lower_select(step: Step, place: Place) -> Stage:
    """The stage that takes the chosen channels."""
    _, height, width = as_image(place.plan.shape(step.output))
    channels, pixels = np.asarray(step.weights["channels"]), np.arange(height * width)
    return split(_copies(step, place, step.inputs[0], channels, pixels), place.num_threads)


def lower_pad(step: Step, place: Place) -> Stage:
    """The stage that puts a value around an image."""
    channels, height, width = as_image(place.plan.shape(step.inputs[0]))
    padding, around = step.settings["padding"], step.settings.get("channels", (0, 0))
    assert isinstance(padding, tuple)
    assert isinstance(around, tuple)
    top, left, bottom, right = padding
    pixels = np.arange(height * width).reshape(height, width)
    pixels = np.pad(pixels, ((top, bottom), (left, right)), constant_values=-1)
    taken = np.pad(np.arange(channels), around, constant_values=-1)
    value = float(step.settings.get("value", 0.0))  # pyright: ignore[reportArgumentType]
    return split(_copies(step, place, step.inputs[0], taken, pixels.reshape(-1), value), place.num_threads)


def lower_spread(step: Step, place: Place) -> Stage:
    """The stage that puts zeros between pixels: the first half of a transposed convolution."""
    channels, height, width = as_image(place.plan.shape(step.inputs[0]))
    stride = step.settings["stride"]
    assert isinstance(stride, tuple)
    pixels = np.full(as_image(place.plan.shape(step.output))[1:], -1)
    pixels[:: stride[0], :: stride[1]] = np.arange(height * width).reshape(height, width)
    return split(
        _copies(step, place, step.inputs[0], np.arange(channels), pixels.reshape(-1)), place.num_threads
    )


def lower_transpose(step: Step, place: Place) -> Stage:
    """The stage that exchanges axes."""
    shape, order = place.plan.shape(step.inputs[0]), step.settings["order"]
    assert isinstance(order, tuple)
    return _flat(step, place, np.arange(np.prod(shape)).reshape(shape).transpose(order).reshape(-1))


def lower_reshape(step: Step, place: Place) -> Stage:
    """The stage that copies numbers in their order."""
    return _flat(step, place, np.arange(np.prod(place.plan.shape(step.output))))


def lower_resize(step: Step, place: Place) -> Stage:
    """The stage of a resize: a run of channels for every thread."""
    channels, height, width = as_image(place.plan.shape(step.output))
    source, target = place.layouts[step.inputs[0]], place.layouts[step.output]
    tables = [
        place.constant(np.asarray(step.weights[f"{axis}_{part}"], kind))
        for axis in ("row", "column")
        for part, kind in (("low", np.int32), ("high", np.int32), ("fraction", np.float32))
    ]
    kernel = resize(place.machine.lanes)
    tasks = []
    for start, stop in place.shares(channels):
        entries = (
            place.addresses[step.inputs[0]] + start * FLOAT_BYTES * source.pitch,
            FLOAT_BYTES * source.pitch,
            source.width,
            place.addresses[step.output] + start * FLOAT_BYTES * target.pitch,
            stop - start,
            height,
            width,
            *tables,
        )
        tasks.append(Task(kernel, entries, cost=stop - start))
    return split(tasks, place.num_threads)


def _flat(step: Step, place: Place, positions: np.ndarray) -> Stage:
    """A copy that does not know channels."""
    tasks = []
    for start, stop in place.shares(len(positions)):
        entries = (
            place.addresses[step.inputs[0]],
            0,
            place.addresses[step.output] + FLOAT_BYTES * start,
            0,
            place.constant(np.zeros(1, np.int32)),
            1,
            place.constant(positions[start:stop].astype(np.int32)),
            stop - start,
            0,
        )
        tasks.append(Task(copy(place.machine.lanes), entries, cost=stop - start))
    return split(tasks, place.num_threads)


def _copies(
    step: Step,
    place: Place,
    name: str,
    channels: np.ndarray,
    pixels: np.ndarray,
    value: float = 0.0,
    first: int = 0,
) -> Sequence[Task]:
    """Copies of one input's channels to the output's from channel `first` on."""
    source, target = place.layouts[name], place.layouts[step.output]
    taken, positions = place.constant(channels.astype(np.int32)), place.constant(pixels.astype(np.int32))
    filling = int(np.array([value, 0], np.float32).view(np.int64)[0])
    return [
        Task(
            copy(place.machine.lanes),
            (
                place.addresses[name],
                FLOAT_BYTES * source.pitch,
                place.addresses[step.output] + FLOAT_BYTES * target.pitch * (first + start),
                FLOAT_BYTES * target.pitch,
                taken + 4 * start,
                stop - start,
                positions,
                len(pixels),
                filling,
            ),
            cost=(stop - start) * len(pixels),
        )
        for start, stop in place.shares(len(channels))
    ]
