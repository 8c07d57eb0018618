"""Numbers copied to other places, and images resized: tables say where each number comes from."""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel


class Copy(IntEnum):
    """Entries of the table of a copy; strides are in bytes. A negative position means the filling value."""

    INPUT = 0
    INPUT_STRIDE = 1
    OUTPUT = 2
    OUTPUT_STRIDE = 3
    CHANNELS = 4  # int32 for every output channel: the input's
    NUM_CHANNELS = 5
    PIXELS = 6  # int32 for every output pixel: the input's
    NUM_PIXELS = 7
    VALUE = 8  # float32 in the lower half


class Resize(IntEnum):
    """Entries of the table of a resize; low, high are int32, fractions float32."""

    INPUT = 0
    INPUT_STRIDE = 1
    INPUT_WIDTH = 2
    OUTPUT = 3
    NUM_CHANNELS = 4
    HEIGHT = 5  # of the output
    WIDTH = 6
    ROW_LOW = 7
    ROW_HIGH = 8
    ROW_FRACTION = 9
    COLUMN_LOW = 10
    COLUMN_HIGH = 11
    COLUMN_FRACTION = 12


@functools.cache
def copy(lanes: int) -> Kernel:
    """Output channel c, pixel p is input channel `channels[c]`, pixel `pixels[p]`."""
    name = f"copy_{lanes}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    value = function.splat(function.load(function.at("%arguments", 8 * Copy.VALUE), "float"))
    with function.loop(0, argument(Copy.NUM_CHANNELS)) as channel:
        entry = function.at(argument(Copy.CHANNELS, "ptr"), function.multiply(channel, 4))
        source = function.value(f"sext i32 {function.load(entry, 'i32')} to i64")
        is_filled = function.value(f"icmp slt i64 {source}, 0")
        line = function.at(
            argument(Copy.INPUT, "ptr"), function.multiply(source, argument(Copy.INPUT_STRIDE))
        )
        output = function.at(
            argument(Copy.OUTPUT, "ptr"), function.multiply(channel, argument(Copy.OUTPUT_STRIDE))
        )
        with function.loop(0, argument(Copy.NUM_PIXELS), lanes) as pixel:
            mask = function.lanes_below(function.subtract(argument(Copy.NUM_PIXELS), pixel))
            positions = indices(function, argument(Copy.PIXELS, "ptr"), pixel, mask)
            is_inside = function.value(f"icmp sge <{lanes} x i32> {positions}, zeroinitializer")
            wanted = function.value(
                f"select {function.mask} {is_inside}, {function.mask} {mask}, {function.mask} zeroinitializer"
            )
            none = function.value(
                f"select i1 {is_filled}, {function.mask} zeroinitializer, {function.mask} {wanted}"
            )
            taken = gathered(function, line, positions, none, value)
            function.store_masked(taken, function.at(output, function.multiply(pixel, 4)), mask)
    return Kernel(name, function.text())


@functools.cache
def resize(lanes: int) -> Kernel:
    """Every number between its four neighbours; a task is a run of channels."""
    name = f"resize_{lanes}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    width, pitch = argument(Resize.WIDTH), function.multiply(argument(Resize.INPUT_WIDTH), 4)
    with (
        function.loop(0, argument(Resize.NUM_CHANNELS)) as channel,
        function.loop(0, argument(Resize.HEIGHT)) as row,
    ):
        plane = function.at(
            argument(Resize.INPUT, "ptr"), function.multiply(channel, argument(Resize.INPUT_STRIDE))
        )
        low, high = (
            function.at(plane, function.multiply(number_at(function, argument(table, "ptr"), row), pitch))
            for table in (Resize.ROW_LOW, Resize.ROW_HIGH)
        )
        entry = function.at(argument(Resize.ROW_FRACTION, "ptr"), function.multiply(row, 4))
        fraction = function.splat(function.load(entry, "float"))
        line = function.add(function.multiply(channel, argument(Resize.HEIGHT)), row)
        output = function.at(
            argument(Resize.OUTPUT, "ptr"), function.multiply(function.multiply(line, width), 4)
        )
        with function.loop(0, width, lanes) as column:
            mask = function.lanes_below(function.subtract(width, column))
            upper = _between(function, low, column, mask)
            lower = _between(function, high, column, mask)
            value = _mixed(function, upper, lower, fraction)
            function.store_masked(value, function.at(output, function.multiply(column, 4)), mask)
    return Kernel(name, function.text())


def _between(function: Function, line: str, column: str, mask: str) -> str:
    argument, zero = function.argument, function.constant(0.0)
    low, high = (
        gathered(function, line, indices(function, argument(table, "ptr"), column, mask), mask, zero)
        for table in (Resize.COLUMN_LOW, Resize.COLUMN_HIGH)
    )
    place = function.at(argument(Resize.COLUMN_FRACTION, "ptr"), function.multiply(column, 4))
    return _mixed(function, low, high, function.load_masked(place, mask))


def _mixed(function: Function, low: str, high: str, fraction: str) -> str:
    """(1 - fraction) low + fraction high: with fraction 0 exactly `low`, whatever finite `high` is."""
    rest = function.operate("fsub", function.constant(1.0), fraction)
    return function.fma(fraction, high, function.operate("fmul", rest, low))


def number_at(function: Function, table: str, index: str) -> str:
    """Entry `index` of a table of int32, as an i64."""
    entry = function.at(table, function.multiply(index, 4))
    return function.value(f"sext i32 {function.load(entry, 'i32')} to i64")


def indices(function: Function, table: str, first: str, mask: str) -> str:
    """A vector of int32 from entry `first` of a table on."""
    kind = f"<{function.lanes} x i32>"
    return function.call(
        kind,
        f"llvm.masked.load.v{function.lanes}i32.p0",
        ("ptr", function.at(table, function.multiply(first, 4))),
        ("i32", "4"),
        (function.mask, mask),
        (kind, "zeroinitializer"),
    )


def gathered(function: Function, line: str, positions: str, mask: str, otherwise: str) -> str:
    """The numbers at the positions of a line; `otherwise` where the mask is off."""
    lanes = function.lanes
    wide = function.value(f"sext <{lanes} x i32> {positions} to <{lanes} x i64>")
    pointers = function.value(f"getelementptr float, ptr {line}, <{lanes} x i64> {wide}")
    return function.gather(pointers, mask, otherwise)
