"""Dense layers on vectors and means over all pixels as tasks."""

import numpy as np

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.linear import linear
from pomona.compile.sparse.kernels.pooling import mean
from pomona.compile.sparse.layout import FLOAT_BYTES
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step


def lower_linear(step: Step, place: Place) -> Stage:
    """The stage of a dense layer: a run of outputs for every thread."""
    weight = np.asarray(step.weights["weight"], np.float32)
    weights, bias = place.constant(weight), place.floats(step.weights.get("bias"), len(weight))
    slope = place.floats(step.weights["slope"], len(weight)) if step.activation == "prelu" else 0
    kernel = linear(place.machine.lanes, activation=kernel_activation(step.activation))
    tasks = []
    for start, stop in place.shares(len(weight)):
        entries = (
            place.addresses[step.inputs[0]],
            place.addresses[step.output] + FLOAT_BYTES * start,
            weights + FLOAT_BYTES * start * weight.shape[1],
            bias + FLOAT_BYTES * start,
            weight.shape[1],
            stop - start,
            slope + FLOAT_BYTES * start,
            parameters(dict(step.settings)),
        )
        tasks.append(Task(kernel, entries, cost=stop - start))
    return split(tasks, place.num_threads)


def lower_mean(step: Step, place: Place) -> Stage:
    """The stage of a mean over all pixels: a run of channels for every thread."""
    layout = place.layouts[step.inputs[0]]
    blocks = [
        (layout.offset(*layout.first_pixel(block)), layout.num_pixels(block))
        for block in range(layout.num_blocks)
    ]
    table = place.constant(np.array(blocks, np.int64))
    scale = np.array([1 / (layout.height * layout.width), 0], np.float32).view(np.int64)[0]
    tasks = []
    for start, stop in place.shares(layout.channels):
        entries = (
            place.addresses[step.inputs[0]] + start * FLOAT_BYTES * layout.pitch,
            FLOAT_BYTES * layout.pitch,
            stop - start,
            table,
            len(blocks),
            place.addresses[step.output] + FLOAT_BYTES * start,
            int(scale),
        )
        tasks.append(Task(mean(place.machine.lanes), entries, cost=stop - start))
    return split(tasks, place.num_threads)
