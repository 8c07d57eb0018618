"""Work done number by number, in any layout: sums, products, activations and packing."""

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.elementwise import elementwise
from pomona.compile.sparse.layout import FLOAT_BYTES, Layout, as_image
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step


def lower_elementwise(step: Step, place: Place) -> Stage:
    """The stage of add, multiply, activation or pack: a task for every block and run of channels."""
    output = place.layouts[step.output]
    layouts = [place.layouts[name] for name in (*step.inputs[:1], step.output)]
    second = step.inputs[1] if len(step.inputs) > 1 else None
    operand = "none"
    if second is not None:
        is_image = as_image(place.plan.shape(second)) == as_image(place.plan.shape(step.output))
        operand = "image" if is_image else "vector"
        layouts += [place.layouts[second]] * is_image
    blocks = max(layouts, key=lambda layout: layout.num_blocks)
    slope = place.floats(step.weights["slope"], output.channels) if step.activation == "prelu" else 0
    kernel = elementwise(
        place.machine.lanes,
        operation=step.op if second is not None else "none",
        operand=operand,
        activation=kernel_activation(step.activation),
    )
    tasks = [
        _task(step, place, kernel, blocks, block, channels, slope, operand)
        for block in range(blocks.num_blocks)
        for channels in place.shares(output.channels)
    ]
    return split(tasks, place.num_threads)


def _task(step, place: Place, kernel, blocks: Layout, block: int, channels, slope: int, operand: str) -> Task:
    corner, start = blocks.first_pixel(block), channels[0]

    def begin(name: str) -> int:
        layout = place.layouts[name]
        return place.addresses[name] + layout.offset(*corner) + start * FLOAT_BYTES * layout.pitch

    def stride(name: str) -> int:
        return FLOAT_BYTES * place.layouts[name].pitch

    second, second_stride = begin(step.inputs[0]), 0
    if operand == "image":
        second, second_stride = begin(step.inputs[1]), stride(step.inputs[1])
    elif operand == "vector":
        second = place.addresses[step.inputs[1]] + start * FLOAT_BYTES
        second_stride = FLOAT_BYTES
    entries = (
        begin(step.inputs[0]),
        second,
        begin(step.output),
        stride(step.inputs[0]),
        second_stride,
        stride(step.output),
        channels[1] - start,
        blocks.num_pixels(block),
        slope + FLOAT_BYTES * start,
        parameters(dict(step.settings)),
    )
    return Task(kernel, entries, cost=blocks.num_pixels(block) * (channels[1] - start))
