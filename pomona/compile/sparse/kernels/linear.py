"""A dense layer on a vector: rows of weights times the vector, several rows at a time."""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation
from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel

ROWS = 4


class Argument(IntEnum):
    """Entries of the task's argument table."""

    INPUT = 0
    OUTPUT = 1
    WEIGHTS = 2  # of the task's first row
    BIAS = 3
    NUM_INPUTS = 4
    NUM_OUTPUTS = 5
    SLOPE = 6
    ACTIVATION = 7


@functools.cache
def linear(lanes: int, *, activation: str) -> Kernel:
    """The kernel; a task is a run of output rows."""
    name = f"linear_{lanes}_{activation}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    end = Activation(function, activation, Argument.ACTIVATION)
    num_outputs = argument(Argument.NUM_OUTPUTS)
    whole = function.multiply(function.value(f"sdiv i64 {num_outputs}, {ROWS}"), ROWS)
    with function.loop(0, whole, ROWS) as row:
        _rows(function, row, ROWS, end)
    with function.loop(whole, num_outputs) as row:
        _rows(function, row, 1, end)
    return Kernel(name, function.text())


def _rows(function: Function, row: str, num_rows: int, end: Activation) -> None:
    argument = function.argument
    num_inputs, vector = argument(Argument.NUM_INPUTS), argument(Argument.INPUT, "ptr")
    stride = function.multiply(num_inputs, 4)
    first = function.at(argument(Argument.WEIGHTS, "ptr"), function.multiply(row, stride))
    lines = [function.at(first, function.multiply(stride, index)) for index in range(num_rows)]
    sums = [function.variable(function.vector, "zeroinitializer") for _ in lines]
    with function.loop(0, num_inputs, function.lanes) as column:
        mask = function.lanes_below(function.subtract(num_inputs, column))
        offset = function.multiply(column, 4)
        value = function.load_masked(function.at(vector, offset), mask)
        for line, total in zip(lines, sums, strict=True):
            weights = function.load_masked(function.at(line, offset), mask)
            function.set(total, function.fma(weights, value, function.get(total)))
    for index, total in enumerate(sums):
        _finish(function, function.add(row, index), function.get(total), end)


def _finish(function: Function, row: str, total: str, end: Activation) -> None:
    argument = function.argument
    entry = function.multiply(row, 4)
    bias = function.load(function.at(argument(Argument.BIAS, "ptr"), entry), "float")
    scalar = function.lane_sum(total, bias)
    slope = None
    if end.name == "prelu":
        slope = function.splat(function.load(function.at(argument(Argument.SLOPE, "ptr"), entry), "float"))
    value = end.apply(function.splat(scalar), slope)
    lowest = function.value(f"extractelement {function.vector} {value}, i64 0")
    function.store(lowest, function.at(argument(Argument.OUTPUT, "ptr"), entry), "float")
