"""Sums, products and activations of whole images, the second operand an image or a vector."""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation
from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel


class Argument(IntEnum):
    """Entries of the task's argument table; strides are in bytes."""

    FIRST = 0
    SECOND = 1  # one number a channel where the operand is a vector
    OUTPUT = 2
    FIRST_STRIDE = 3
    SECOND_STRIDE = 4
    OUTPUT_STRIDE = 5
    NUM_CHANNELS = 6
    NUM_PIXELS = 7
    SLOPE = 8
    ACTIVATION = 9


@functools.cache
def elementwise(lanes: int, *, operation: str, operand: str, activation: str) -> Kernel:
    """The kernel for `operation` add, multiply or none with an `operand` image, vector or none."""
    name = f"elementwise_{lanes}_{operation}_{operand}_{activation}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    end = Activation(function, activation, Argument.ACTIVATION)
    with function.loop(0, argument(Argument.NUM_CHANNELS)) as channel:
        first = function.at(
            argument(Argument.FIRST, "ptr"), function.multiply(channel, argument(Argument.FIRST_STRIDE))
        )
        second = function.at(
            argument(Argument.SECOND, "ptr"), function.multiply(channel, argument(Argument.SECOND_STRIDE))
        )
        output = function.at(
            argument(Argument.OUTPUT, "ptr"), function.multiply(channel, argument(Argument.OUTPUT_STRIDE))
        )
        scalar = function.splat(function.load(second, "float")) if operand == "vector" else ""
        slope = None
        if activation == "prelu":
            entry = function.at(argument(Argument.SLOPE, "ptr"), function.multiply(channel, 4))
            slope = function.splat(function.load(entry, "float"))
        with function.loop(0, argument(Argument.NUM_PIXELS), lanes) as pixel:
            mask = function.lanes_below(function.subtract(argument(Argument.NUM_PIXELS), pixel))
            offset = function.multiply(pixel, 4)
            value = function.load_masked(function.at(first, offset), mask)
            if operation != "none":
                other = scalar or function.load_masked(function.at(second, offset), mask)
                value = function.operate({"add": "fadd", "multiply": "fmul"}[operation], value, other)
            function.store_masked(end.apply(value, slope), function.at(output, offset), mask)
    return Kernel(name, function.text())
