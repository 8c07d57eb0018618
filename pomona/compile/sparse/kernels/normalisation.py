"""Group normalisation, and softmax over channels."""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation, exponential, larger
from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel


class Groups(IntEnum):
    """Entries of the table of group normalisation; a group's numbers follow each other."""

    INPUT = 0
    OUTPUT = 1
    NUM_GROUPS = 2
    NUM_CHANNELS = 3  # of a group
    NUM_PIXELS = 4
    SCALE = 5
    BIAS = 6
    SLOPE = 7
    ACTIVATION = 8
    NUMBERS = 9  # float32: 1 / size of a group, epsilon


class Softmax(IntEnum):
    """Entries of the table of softmax; a task is a run of pixels, the stride is in bytes."""

    INPUT = 0
    OUTPUT = 1
    CHANNEL_STRIDE = 2
    NUM_CHANNELS = 3
    NUM_PIXELS = 4


@functools.cache
def group_normalisation(lanes: int, *, activation: str) -> Kernel:
    """The kernel; a task is a run of groups. Mean and variance are taken one after the other."""
    name = f"groups_{lanes}_{activation}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    end = Activation(function, activation, Groups.ACTIVATION)
    numbers = function.at("%arguments", 8 * Groups.NUMBERS)
    share, epsilon = function.load(numbers, "float"), function.load(function.at(numbers, 4), "float")
    num_channels, num_pixels = argument(Groups.NUM_CHANNELS), argument(Groups.NUM_PIXELS)
    size = function.multiply(num_channels, num_pixels)
    with function.loop(0, argument(Groups.NUM_GROUPS)) as group:
        offset = function.multiply(function.multiply(group, size), 4)
        numbers_in = function.at(argument(Groups.INPUT, "ptr"), offset)
        numbers_out = function.at(argument(Groups.OUTPUT, "ptr"), offset)
        mean = function.splat(_mean(function, numbers_in, size, share, None))
        variance = _mean(function, numbers_in, size, share, mean)
        root = function.intrinsic("sqrt", function.splat(function.value(f"fadd float {variance}, {epsilon}")))
        inverse = function.operate("fdiv", function.constant(1.0), root)
        with function.loop(0, num_channels) as index:
            channel = function.add(function.multiply(group, num_channels), index)
            _normalise(function, end, (numbers_in, numbers_out), index, channel, mean, inverse)
    return Kernel(name, function.text())


def _mean(function: Function, numbers: str, size: str, share: str, center: str | None) -> str:
    """The mean of the numbers, or of their squared distances from `center`."""
    total = function.variable(function.vector, "zeroinitializer")
    with function.loop(0, size, function.lanes) as position:
        mask = function.lanes_below(function.subtract(size, position))
        value = function.load_masked(function.at(numbers, function.multiply(position, 4)), mask)
        if center is None:
            function.set(total, function.operate("fadd", function.get(total), value))
        else:
            apart = function.operate("fsub", value, center)
            apart = function.value(
                f"select {function.mask} {mask}, {function.vector} {apart}, {function.vector} zeroinitializer"
            )
            function.set(total, function.fma(apart, apart, function.get(total)))
    return function.value(f"fmul float {function.lane_sum(function.get(total))}, {share}")


def _normalise(
    function: Function, end: Activation, ends: tuple[str, str], index, channel, mean, inverse
) -> None:
    argument = function.argument
    num_pixels = argument(Groups.NUM_PIXELS)
    entry = function.multiply(channel, 4)

    def number(table: Groups) -> str:
        return function.splat(function.load(function.at(argument(table, "ptr"), entry), "float"))

    factor = function.operate("fmul", inverse, number(Groups.SCALE))
    bias = number(Groups.BIAS)
    slope = number(Groups.SLOPE) if end.name == "prelu" else None
    first = function.multiply(index, num_pixels)
    with function.loop(0, num_pixels, function.lanes) as pixel:
        mask = function.lanes_below(function.subtract(num_pixels, pixel))
        place = function.multiply(function.add(first, pixel), 4)
        value = function.load_masked(function.at(ends[0], place), mask)
        value = function.fma(function.operate("fsub", value, mean), factor, bias)
        function.store_masked(end.apply(value, slope), function.at(ends[1], place), mask)


@functools.cache
def softmax(lanes: int) -> Kernel:
    """The kernel: the largest is taken off before the exponential, so nothing overflows."""
    name = f"softmax_{lanes}"
    function = Function(name, [("ptr", "arguments")], lanes)
    argument = function.argument
    num_channels, stride = argument(Softmax.NUM_CHANNELS), argument(Softmax.CHANNEL_STRIDE)
    with function.loop(0, argument(Softmax.NUM_PIXELS), lanes) as pixel:
        mask = function.lanes_below(function.subtract(argument(Softmax.NUM_PIXELS), pixel))
        offset = function.multiply(pixel, 4)
        source = function.at(argument(Softmax.INPUT, "ptr"), offset)
        target = function.at(argument(Softmax.OUTPUT, "ptr"), offset)
        highest = function.variable(function.vector, function.constant(float("-inf")))
        with function.loop(0, num_channels) as channel:
            value = function.load_masked(function.at(source, function.multiply(channel, stride)), mask)
            function.set(highest, larger(function, function.get(highest), value))
        total = function.variable(function.vector, "zeroinitializer")
        with function.loop(0, num_channels) as channel:
            place = function.multiply(channel, stride)
            value = function.load_masked(function.at(source, place), mask)
            power = exponential(function, function.operate("fsub", value, function.get(highest)))
            function.set(total, function.operate("fadd", function.get(total), power))
            function.store_masked(power, function.at(target, place), mask)
        factor = function.operate("fdiv", function.constant(1.0), function.get(total))
        with function.loop(0, num_channels) as channel:
            place = function.at(target, function.multiply(channel, stride))
            function.store_masked(
                function.operate("fmul", function.load_masked(place, mask), factor), place, mask
            )
    return Kernel(name, function.text())
