"""The 1x1 convolution, sparse or dense: a list of non-zero columns for every group of output channels.

A task is one block of pixels that lies packed, every channel's pixels in one row of whole vectors. The outer
loop walks chunks of input channels whose part of the block stays in the first cache; the inner one takes a
group's next column, loads its `rows` weights, and adds their products with the block's pixels to `rows` times
`vectors` accumulators. A dense layer is one whose groups have every column.
"""

import functools
from enum import IntEnum

from pomona.compile.sparse.kernels.activation import Activation
from pomona.compile.sparse.kernels.text import Function, Variable
from pomona.compile.sparse.machine import Kernel


class Argument(IntEnum):
    """Entries of the task's argument table; strides are in bytes."""

    INPUT = 0
    OUTPUT = 1
    OUTPUT_STRIDE = 2
    RESIDUAL = 3  # null without one
    RESIDUAL_STRIDE = 4
    BIAS = 5
    SLOPE = 6  # of prelu
    GROUPS = 7  # int32: number of columns, then the group's output channels
    COLUMNS = 8  # uint16: where a column begins, in eighths of bytes past its chunk
    WEIGHTS = 9  # float32: `rows` for every column
    CHUNKS = 10  # int64: number of groups, where the chunk begins in the block
    NUM_CHUNKS = 11
    LAST_LANES = 12  # pixels of the last vector that are written
    ACTIVATION = 13


@functools.cache
def pointwise(lanes: int, *, rows: int, vectors: int, is_masked: bool, activation: str) -> Kernel:
    """The kernel for groups of `rows` output channels and blocks of `vectors` times `lanes` pixels.

    Masked, the last vector is written only as far as `LAST_LANES`; else whole.
    """
    name = f"pointwise_{lanes}_{rows}x{vectors}{'_masked' if is_masked else ''}_{activation}"
    return Kernel(name, _Pointwise(name, lanes, rows, vectors, is_masked, activation).text())


class _Pointwise:
    def __init__(self, name: str, lanes: int, rows: int, vectors: int, is_masked: bool, activation: str):
        self.function = Function(name, [("ptr", "arguments")], lanes)
        self.rows, self.vectors, self.is_masked = rows, vectors, is_masked
        argument = self.function.argument
        self.output, self.output_stride = argument(Argument.OUTPUT, "ptr"), argument(Argument.OUTPUT_STRIDE)
        self.residual = argument(Argument.RESIDUAL, "ptr")
        self.residual_stride = argument(Argument.RESIDUAL_STRIDE)
        self.bias, self.slope = argument(Argument.BIAS, "ptr"), argument(Argument.SLOPE, "ptr")
        self.groups = self.function.variable("ptr", argument(Argument.GROUPS, "ptr"))
        self.columns = self.function.variable("ptr", argument(Argument.COLUMNS, "ptr"))
        self.weights = self.function.variable("ptr", argument(Argument.WEIGHTS, "ptr"))
        self.mask = self.function.lanes_below(argument(Argument.LAST_LANES)) if is_masked else ""
        self.activation = Activation(self.function, activation, Argument.ACTIVATION)

    def text(self) -> str:
        function = self.function
        block = function.argument(Argument.INPUT, "ptr")
        chunks = function.argument(Argument.CHUNKS, "ptr")
        num_chunks = function.argument(Argument.NUM_CHUNKS)
        last = function.subtract(num_chunks, 1)
        with function.loop(0, num_chunks) as chunk:
            is_first = function.value(f"icmp eq i64 {chunk}, 0")
            is_last = function.value(f"icmp eq i64 {chunk}, {last}")
            entry = function.at(chunks, function.multiply(chunk, 16))
            num_groups = function.load(entry, "i64", 8)
            begin = function.at(block, function.load(function.at(entry, 8), "i64", 8))
            with function.loop(0, num_groups):
                self._group(begin, is_first, is_last)
        return function.text()

    def _group(self, chunk: str, is_first: str, is_last: str) -> None:
        function, group = self.function, self.function.get(self.groups)
        num_columns = self._widened(function.load(group, "i32"))
        channels = [
            self._widened(function.load(function.at(group, 4 + 4 * row), "i32")) for row in range(self.rows)
        ]
        outputs = [
            function.at(self.output, function.multiply(channel, self.output_stride)) for channel in channels
        ]
        sums = self._begun(channels, outputs, is_first)
        fours = function.value(f"lshr i64 {num_columns}, 2")
        with function.loop(0, fours):
            self._four_columns(chunk, sums)
        with function.loop(0, function.value(f"and i64 {num_columns}, 3")):
            self._one_column(chunk, sums)
        with function.when(is_last):
            self._finish(channels, sums)
        for output, row in zip(outputs, sums, strict=True):
            for position, total in enumerate(row):
                self._store(function.get(total), output, position)
        function.advance(self.groups, 4 + 4 * self.rows)

    def _begun(self, channels: list[str], outputs: list[str], is_first: str) -> list[list[Variable]]:
        function = self.function
        sums = [
            [function.variable(function.vector, "zeroinitializer") for _ in range(self.vectors)]
            for _ in range(self.rows)
        ]
        with function.when(is_first):
            for channel, row in zip(channels, sums, strict=True):
                bias = self._of_channel(self.bias, channel)
                for total in row:
                    function.set(total, bias)
        is_later = function.value(f"xor i1 {is_first}, true")
        with function.when(is_later):
            for output, row in zip(outputs, sums, strict=True):
                for position, total in enumerate(row):
                    function.set(total, self._load(output, position))
        return sums

    def _four_columns(self, chunk: str, sums: list[list[Variable]]) -> None:
        # one load for four places: loads, not multiplications, are what the kernel runs out of
        function = self.function
        word = function.load(function.get(self.columns), "i64", 2)
        for place in range(4):
            shifted = function.value(f"lshr i64 {word}, {16 * place}")
            self._column(chunk, function.value(f"and i64 {shifted}, 65535"), sums)
        function.advance(self.columns, 8)

    def _one_column(self, chunk: str, sums: list[list[Variable]]) -> None:
        function = self.function
        self._column(
            chunk,
            function.value(f"zext i16 {function.load(function.get(self.columns), 'i16', 2)} to i64"),
            sums,
        )
        function.advance(self.columns, 2)

    def _column(self, chunk: str, eighths: str, sums: list[list[Variable]]) -> None:
        """Adds a column's products, and goes on to the next one's weights."""
        function = self.function
        weight = function.get(self.weights)
        pixels = function.value(f"getelementptr inbounds i64, ptr {chunk}, i64 {eighths}")
        weights = [
            function.splat(function.load(function.at(weight, 4 * row), "float")) for row in range(self.rows)
        ]
        size = 4 * function.lanes
        for position in range(self.vectors):
            vector = function.load(function.at(pixels, position * size), align=size)
            for value, row in zip(weights, sums, strict=True):
                function.set(row[position], function.fma(vector, value, function.get(row[position])))
        function.advance(self.weights, 4 * self.rows)

    def _finish(self, channels: list[str], sums: list[list[Variable]]) -> None:
        function = self.function
        has_residual = function.value(f"icmp ne ptr {self.residual}, null")
        with function.when(has_residual):
            for channel, row in zip(channels, sums, strict=True):
                line = function.at(self.residual, function.multiply(channel, self.residual_stride))
                for position, total in enumerate(row):
                    other = self._load(line, position)
                    function.set(total, function.operate("fadd", function.get(total), other))
        for channel, row in zip(channels, sums, strict=True):
            slope = self._of_channel(self.slope, channel) if self.activation.name == "prelu" else None
            for total in row:
                function.set(total, self.activation.apply(function.get(total), slope))

    def _of_channel(self, table: str, channel: str) -> str:
        function = self.function
        return function.splat(
            function.load(function.value(f"getelementptr float, ptr {table}, i64 {channel}"), "float")
        )

    def _widened(self, number: str) -> str:
        return self.function.value(f"zext i32 {number} to i64")

    def _load(self, line: str, position: int) -> str:
        pointer = self.function.at(line, 4 * self.function.lanes * position)
        if self.is_masked and position == self.vectors - 1:
            return self.function.load_masked(pointer, self.mask)
        return self.function.load(pointer)

    def _store(self, value: str, line: str, position: int) -> None:
        pointer = self.function.at(line, 4 * self.function.lanes * position)
        if self.is_masked and position == self.vectors - 1:
            self.function.store_masked(value, pointer, self.mask)
        else:
            self.function.store(value, pointer)
