"""Work done number by number, in any layout: sums, products, activations and packing."""

from pomona.compile.sparse.kernels.activation import kernel_activation, parameters
from pomona.compile.sparse.kernels.elementwise import elementwise
from pomona.compile.sparse.layout import FLOAT_BYTES, as_image
from pomona.compile.sparse.lowering.task import Place, Stage, Task, split
from pomona.compile.sparse.plan import Step


def lower_elementwise(step: Step, place: Place) -> Stage:
    """The stage of add, multiply, activation or pack: a task for every block and run of channels."""
    work = _Elementwise(step, place)
    tasks = [
        work.task(block, channels)
        for block in range(work.blocks.num_blocks)
        for channels in place.shares(work.blocks.channels)
    ]
    return split(tasks, place.num_threads)


class _Elementwise:
    """A step whose tasks are blocks of pixels, those of the operand with most of them."""

    def __init__(self, step: Step, place: Place):
        self.step, self.place = step, place
        self.operand = _operand(step, place)
        images = [*step.inputs[: 2 if self.operand == "image" else 1], step.output]
        layouts = [place.layouts[name] for name in images]
        self.blocks = max(layouts, key=lambda layout: layout.num_blocks)
        self.slope = 0
        if step.activation == "prelu":
            self.slope = place.floats(step.weights["slope"], self.blocks.channels)
        self.kernel = elementwise(
            place.machine.lanes,
            operation="none" if self.operand == "none" else step.op,
            operand=self.operand,
            activation=kernel_activation(step.activation),
        )

    def task(self, block: int, channels: tuple[int, int]) -> Task:
        """The task of a block and a run of channels."""
        start, stop = channels
        step, corner, num_pixels = self.step, self.blocks.first_pixel(block), self.blocks.num_pixels(block)
        first, first_stride = self._begin(step.inputs[0], corner, start)
        second, second_stride = first, 0
        if self.operand == "image":
            second, second_stride = self._begin(step.inputs[1], corner, start)
        elif self.operand == "vector":
            second, second_stride = self._begin(step.inputs[1], (0, 0), start)
        output, output_stride = self._begin(step.output, corner, start)
        entries = (
            *(first, second, output),
            *(first_stride, second_stride, output_stride),
            stop - start,
            num_pixels,
            self.slope + FLOAT_BYTES * start,
            parameters(dict(step.settings)),
        )
        return Task(self.kernel, entries, cost=num_pixels * (stop - start))

    def _begin(self, name: str, corner: tuple[int, int], channel: int) -> tuple[int, int]:
        """Where a pixel of a channel lies, and the stride to the next channel's."""
        layout = self.place.layouts[name]
        stride = FLOAT_BYTES * layout.pitch
        return self.place.addresses[name] + layout.offset(*corner) + channel * stride, stride


def _operand(step: Step, place: Place) -> str:
    if len(step.inputs) < 2:
        return "none"
    shapes = [as_image(place.plan.shape(name)) for name in (step.inputs[1], step.output)]
    return "image" if shapes[0] == shapes[1] else "vector"
