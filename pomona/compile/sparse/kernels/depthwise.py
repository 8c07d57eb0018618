"""The depthwise convolution of square kernels at stride 1 or 2: a strip of one vector walks down a channel.

At stride 1 every input row is loaded once, at each of the kernel's shifts, and added to the accumulators of
all output rows it touches. At stride 2 the even and odd columns of two vectors are sorted apart. The output
may be packed in blocks of pixels, so that the 1x1 convolution that reads it finds its blocks ready.
"""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation
from pomona.compile.sparse.kernels.rows import OutputRows, RowLayout, shifted_columns
from pomona.compile.sparse.kernels.text import Function, Variable
from pomona.compile.sparse.machine import Kernel


class Argument(IntEnum):
    """Entries of the task's argument table; strides are in bytes."""

    INPUT = 0  # of the first channel
    INPUT_CHANNEL_STRIDE = 1
    INPUT_HEIGHT = 2
    INPUT_WIDTH = 3
    TOP = 4
    LEFT = 5
    OUTPUT_HEIGHT = 6
    OUTPUT_WIDTH = 7
    NUM_CHANNELS = 8
    WEIGHTS = 9  # of the first channel: kernel rows times columns
    BIAS = 10
    SLOPE = 11
    ACTIVATION = 12
    LAYOUT = 13  # of the output, a RowLayout


@functools.cache
def depthwise(lanes: int, *, size: int, stride: int, activation: str) -> Kernel:
    """The kernel of `size` times `size` weights at `stride` 1 or 2; a task is a run of channels."""
    name = f"depthwise_{lanes}_{size}s{stride}_{activation}"
    return Kernel(name, _Depthwise(name, lanes, size, stride, activation).text())


class _Depthwise:
    def __init__(self, name: str, lanes: int, size: int, stride: int, activation: str):
        self.function = Function(name, [("ptr", "arguments")], lanes)
        self.size, self.stride = size, stride
        argument = self.function.argument
        self.height, self.width = argument(Argument.INPUT_HEIGHT), argument(Argument.INPUT_WIDTH)
        self.top, self.left = argument(Argument.TOP), argument(Argument.LEFT)
        self.output_height = argument(Argument.OUTPUT_HEIGHT)
        self.output_width = argument(Argument.OUTPUT_WIDTH)
        self.row_stride = self.function.multiply(self.width, 4)
        self.layout = RowLayout(self.function, Argument.LAYOUT)
        self.activation = Activation(self.function, activation, Argument.ACTIVATION)

    def text(self) -> str:
        function, argument = self.function, self.function.argument
        planes, channel_stride = argument(Argument.INPUT, "ptr"), argument(Argument.INPUT_CHANNEL_STRIDE)
        weights = argument(Argument.WEIGHTS, "ptr")
        with function.loop(0, argument(Argument.NUM_CHANNELS)) as channel:
            plane = function.at(planes, function.multiply(channel, channel_stride))
            table = function.at(weights, function.multiply(channel, 4 * self.size * self.size))
            filters = [
                function.splat(function.load(function.at(table, 4 * index), "float"))
                for index in range(self.size * self.size)
            ]
            bias = self._of_channel(argument(Argument.BIAS, "ptr"), channel)
            slope = None
            if self.activation.name == "prelu":
                slope = self._of_channel(argument(Argument.SLOPE, "ptr"), channel)
            self.ahead = function.variable("ptr", function.at(plane, channel_stride))
            with function.loop(0, self.output_width, function.lanes) as column:
                rows = OutputRows(self.layout, channel, column, self.output_width)
                walk = self._every_row_once if self.stride == 1 else self._every_output_row
                walk(plane, column, filters, bias, lambda value, rows=rows: self._finish(value, slope, rows))
        return function.text()

    def _every_row_once(self, plane: str, column: str, filters, bias: str, finish) -> None:
        function = self.function
        columns = shifted_columns(function, column, self.left, self.width, self.size, 1)
        sums = [function.variable(function.vector, bias) for _ in range(self.size)]
        steps = function.add(self.output_height, self.size - 1)
        with function.loop(0, steps) as step:
            row = function.subtract(step, self.top)
            self._fetch_ahead(1)
            with function.when(self._is_inside(row)):
                line = function.at(plane, function.multiply(row, self.row_stride))
                shifts = columns.load(line)
                for down in range(self.size):
                    self._add(sums[down], shifts, filters[self.size * down : self.size * (down + 1)])
            with function.when(function.value(f"icmp sge i64 {step}, {self.size - 1}")):
                finish(function.get(sums[-1]))
            held = [function.get(total) for total in sums]
            for total, previous in zip(sums, [bias, *held[:-1]], strict=True):
                function.set(total, previous)

    def _every_output_row(self, plane: str, column: str, filters, bias: str, finish) -> None:
        function = self.function
        columns = shifted_columns(function, column, self.left, self.width, self.size, self.stride)
        with function.loop(0, self.output_height) as output_row:
            self._fetch_ahead(self.stride * self.stride)
            total = function.variable(function.vector, bias)
            first = function.subtract(function.multiply(output_row, self.stride), self.top)
            for down in range(self.size):
                row = function.add(first, down)
                with function.when(self._is_inside(row)):
                    line = function.at(plane, function.multiply(row, self.row_stride))
                    shifts = columns.load(line)
                    self._add(total, shifts, filters[self.size * down : self.size * (down + 1)])
            finish(function.get(total))

    def _fetch_ahead(self, num_vectors: int) -> None:
        """Asks for the next channel, as much of it as a step reads: a strip jumps too far to be foreseen."""
        function = self.function
        for _ in range(num_vectors):
            pointer = function.get(self.ahead)
            function.call(
                "void", "llvm.prefetch.p0", ("ptr", pointer), ("i32", "0"), ("i32", "2"), ("i32", "1")
            )
            function.advance(self.ahead, 4 * function.lanes)

    def _add(self, total: Variable, shifts: list[str], filters: list[str]) -> None:
        for shift, weight in zip(shifts, filters, strict=True):
            self.function.set(total, self.function.fma(shift, weight, self.function.get(total)))

    def _finish(self, value: str, slope: str | None, rows: OutputRows) -> None:
        rows.store(self.activation.apply(value, slope))

    def _is_inside(self, row: str) -> str:
        # an unsigned comparison refuses negative rows as well
        return self.function.value(f"icmp ult i64 {row}, {self.height}")

    def _of_channel(self, table: str, channel: str) -> str:
        function = self.function
        entry = function.value(f"getelementptr float, ptr {table}, i64 {channel}")
        return function.splat(function.load(entry, "float"))
