"""The dense convolution of plain images: `rows` output channels share every vector of pixels that is loaded.

It computes first layers and whatever is neither 1x1 nor depthwise of a common size: any stride, padding,
dilation and groups.
"""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation
from pomona.compile.sparse.kernels.rows import LAYOUT_ENTRIES, RowLayout, shifted_columns
from pomona.compile.sparse.kernels.text import Function, Variable
from pomona.compile.sparse.machine import Kernel


class Argument(IntEnum):
    """Entries of the task's argument table; strides are in bytes."""

    INPUT = 0  # of the group's first channel
    INPUT_CHANNEL_STRIDE = 1
    INPUT_HEIGHT = 2
    INPUT_WIDTH = 3
    NUM_INPUTS = 4  # channels of the group
    TOP = 5
    LEFT = 6
    STRIDE_DOWN = 7
    STRIDE_ACROSS = 8
    DILATION_DOWN = 9
    DILATION_ACROSS = 10
    KERNEL_HEIGHT = 11
    FIRST_ROW = 12
    LAST_ROW = 13  # exclusive
    OUTPUT_WIDTH = 14
    WEIGHTS = 15  # input channel, kernel row, kernel column, output channel
    BIAS = 16
    SLOPE = 17
    ACTIVATION = 18
    LAYOUT = 19  # of the output, from the task's first channel on
    RESIDUAL = LAYOUT + LAYOUT_ENTRIES  # another layout; its pointer is null without a residual


@functools.cache
def convolution(lanes: int, *, rows: int, width: int, stride: int, activation: str) -> Kernel:
    """The kernel for `rows` output channels, kernels `width` across, at stride across 1, 2 or 0 (any)."""
    name = f"convolution_{lanes}_{rows}x{width}s{stride}_{activation}"
    return Kernel(name, _Convolution(name, lanes, rows, width, stride, activation).text())


class _Convolution:
    def __init__(self, name: str, lanes: int, rows: int, width: int, stride: int, activation: str):
        self.function = Function(name, [("ptr", "arguments")], lanes)
        self.rows, self.width = rows, width
        argument = self.function.argument
        self.stride: int | str = stride or argument(Argument.STRIDE_ACROSS)
        self.height, self.row_width = argument(Argument.INPUT_HEIGHT), argument(Argument.INPUT_WIDTH)
        self.bias, self.slope = argument(Argument.BIAS, "ptr"), argument(Argument.SLOPE, "ptr")
        self.layout = RowLayout(self.function, Argument.LAYOUT)
        self.residual = RowLayout(self.function, Argument.RESIDUAL)
        self.activation = Activation(self.function, activation, Argument.ACTIVATION)

    def text(self) -> str:
        function, argument = self.function, self.function.argument
        output_width = argument(Argument.OUTPUT_WIDTH)
        with (
            function.loop(0, output_width, function.lanes) as column,
            function.loop(argument(Argument.FIRST_ROW), argument(Argument.LAST_ROW)) as row,
        ):
            sums = []
            for channel in range(self.rows):
                bias = function.splat(function.load(function.at(self.bias, 4 * channel), "float"))
                sums.append(function.variable(function.vector, bias))
            self._gather(sums, row, column)
            self._finish(sums, row, column, function.lanes_below(function.subtract(output_width, column)))
        return function.text()

    def _gather(self, sums: list[Variable], row: str, column: str) -> None:
        function, argument = self.function, self.function.argument
        columns = shifted_columns(
            function,
            column,
            argument(Argument.LEFT),
            self.row_width,
            self.width,
            self.stride,
            argument(Argument.DILATION_ACROSS),
        )
        first = function.subtract(
            function.multiply(row, argument(Argument.STRIDE_DOWN)), argument(Argument.TOP)
        )
        weights = function.variable("ptr", argument(Argument.WEIGHTS, "ptr"))
        with function.loop(0, argument(Argument.NUM_INPUTS)) as channel:
            offset = function.multiply(channel, argument(Argument.INPUT_CHANNEL_STRIDE))
            plane = function.at(argument(Argument.INPUT, "ptr"), offset)
            with function.loop(0, argument(Argument.KERNEL_HEIGHT)) as down:
                input_row = function.add(first, function.multiply(down, argument(Argument.DILATION_DOWN)))
                # an unsigned comparison refuses negative rows as well
                with function.when(function.value(f"icmp ult i64 {input_row}, {self.height}")):
                    start = function.multiply(input_row, function.multiply(self.row_width, 4))
                    self._add(sums, columns.load(function.at(plane, start)), function.get(weights))
                function.advance(weights, 4 * self.rows * self.width)

    def _add(self, sums: list[Variable], shifts: list[str], weights: str) -> None:
        function = self.function
        for position, shift in enumerate(shifts):
            for channel, total in enumerate(sums):
                entry = function.at(weights, 4 * (self.rows * position + channel))
                weight = function.splat(function.load(entry, "float"))
                function.set(total, function.fma(shift, weight, function.get(total)))

    def _finish(self, sums: list[Variable], row: str, column: str, mask: str) -> None:
        function = self.function
        has_residual = function.value(f"icmp ne ptr {self.residual.base}, null")
        with function.when(has_residual):
            for channel, total in enumerate(sums):
                other = function.load_masked(self.residual.address(str(channel), row, column), mask)
                function.set(total, function.operate("fadd", function.get(total), other))
        for channel, total in enumerate(sums):
            slope = None
            if self.activation.name == "prelu":
                slope = function.splat(function.load(function.at(self.slope, 4 * channel), "float"))
            value = self.activation.apply(function.get(total), slope)
            function.store_masked(value, self.layout.address(str(channel), row, column), mask)
