"""Means over all pixels of a channel, and means or maxima of windows."""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import larger, select
from pomona.compile.sparse.kernels.rows import LAYOUT_ENTRIES, RowLayout, shifted_columns
from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel


class Mean(IntEnum):
    """Entries of the table of the mean over all pixels; strides are in bytes."""

    INPUT = 0
    CHANNEL_STRIDE = 1
    NUM_CHANNELS = 2
    BLOCKS = 3  # int64 pairs: where a block begins, how many pixels it has
    NUM_BLOCKS = 4
    OUTPUT = 5
    SCALE = 6  # float32 in the lower half


class Window(IntEnum):
    """Entries of the table of a pool; strides are in bytes."""

    INPUT = 0
    CHANNEL_STRIDE = 1
    NUM_CHANNELS = 2
    HEIGHT = 3
    WIDTH = 4
    TOP = 5
    LEFT = 6
    STRIDE_DOWN = 7
    STRIDE_ACROSS = 8
    KERNEL_HEIGHT = 9
    KERNEL_WIDTH = 10
    OUTPUT_HEIGHT = 11
    OUTPUT_WIDTH = 12
    SCALES = 13  # float32 for every output pixel
    LAYOUT = 14
    END = LAYOUT + LAYOUT_ENTRIES


@functools.cache
def mean(lanes: int) -> Kernel:
    """The mean over all pixels; a task is a run of channels."""
    name = f"mean_{lanes}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    scale = function.load(function.at("%arguments", 8 * Mean.SCALE), "float")
    with function.loop(0, argument(Mean.NUM_CHANNELS)) as channel:
        offset = function.multiply(channel, argument(Mean.CHANNEL_STRIDE))
        line = function.at(argument(Mean.INPUT, "ptr"), offset)
        total = function.variable(function.vector, "zeroinitializer")
        with function.loop(0, argument(Mean.NUM_BLOCKS)) as block:
            entry = function.at(argument(Mean.BLOCKS, "ptr"), function.multiply(block, 16))
            begin = function.at(line, function.load(entry, "i64", 8))
            num_pixels = function.load(function.at(entry, 8), "i64", 8)
            with function.loop(0, num_pixels, lanes) as pixel:
                mask = function.lanes_below(function.subtract(num_pixels, pixel))
                value = function.load_masked(function.at(begin, function.multiply(pixel, 4)), mask)
                function.set(total, function.operate("fadd", function.get(total), value))
        lanes_sum = function.lane_sum(function.get(total))
        result = function.value(f"fmul float {lanes_sum}, {scale}")
        place = function.at(argument(Mean.OUTPUT, "ptr"), function.multiply(channel, 4))
        function.store(result, place, "float")
    return Kernel(name, function.text())


@functools.cache
def pool(lanes: int, *, operation: str, stride: int) -> Kernel:
    """Windows' `operation` sum (times a scale) or max, at stride across 1 or 0 (any)."""
    name = f"pool_{lanes}_{operation}_{stride}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    layout = RowLayout(function, Window.LAYOUT)
    with (
        function.loop(0, argument(Window.NUM_CHANNELS)) as channel,
        function.loop(0, argument(Window.OUTPUT_HEIGHT)) as row,
        function.loop(0, argument(Window.OUTPUT_WIDTH), lanes) as column,
    ):
        mask = function.lanes_below(function.subtract(argument(Window.OUTPUT_WIDTH), column))
        value = _window(function, channel, row, column, operation, stride)
        if operation == "sum":
            position = function.add(function.multiply(row, argument(Window.OUTPUT_WIDTH)), column)
            scales = function.at(argument(Window.SCALES, "ptr"), function.multiply(position, 4))
            value = function.operate("fmul", value, function.load_masked(scales, mask))
        function.store_masked(value, layout.address(channel, row, column), mask)
    return Kernel(name, function.text())


def _window(function: Function, channel: str, row: str, column: str, operation: str, stride: int) -> str:
    argument = function.argument
    empty = function.constant(0.0 if operation == "sum" else float("-inf"))
    total = function.variable(function.vector, empty)
    plane = function.at(
        argument(Window.INPUT, "ptr"), function.multiply(channel, argument(Window.CHANNEL_STRIDE))
    )
    first = function.subtract(function.multiply(row, argument(Window.STRIDE_DOWN)), argument(Window.TOP))
    step = stride or argument(Window.STRIDE_ACROSS)
    with function.loop(0, argument(Window.KERNEL_HEIGHT)) as down:
        input_row = function.add(first, down)
        # an unsigned comparison refuses negative rows as well
        with function.when(function.value(f"icmp ult i64 {input_row}, {argument(Window.HEIGHT)}")):
            line = function.at(
                plane, function.multiply(input_row, function.multiply(argument(Window.WIDTH), 4))
            )
            with function.loop(0, argument(Window.KERNEL_WIDTH)) as across:
                left = function.subtract(argument(Window.LEFT), across)
                columns = shifted_columns(function, column, left, argument(Window.WIDTH), 1, step)
                value, inside = columns.load(line)[0], columns.masks[0]
                if operation == "sum":
                    function.set(total, function.operate("fadd", function.get(total), value))
                else:
                    value = select(function, inside, value, empty)
                    function.set(total, larger(function, value, function.get(total)))
    return function.get(total)
