"""How kernels read shifted columns of a plain image and write rows of a plain or packed one."""

from pomona.compile.sparse.kernels.text import Function

LAYOUT_ENTRIES = 7


class RowLayout:
    """Where pixels lie, from seven entries of the argument table that begin at `first_entry`.

    They are: the pointer, and in bytes or pixels: channel stride, rows of a block, columns of a block, row
    stride, stride from a block to the next one below, stride to the next one across. A plain image is one
    block.
    """

    def __init__(self, function: Function, first_entry: int):
        self.function = function
        self.base = function.argument(first_entry, "ptr")
        names = ("channel_stride", "rows", "columns", "row_stride", "down_stride", "across_stride")
        entries = [function.argument(first_entry + 1 + index) for index in range(len(names))]
        self.channel_stride, self.rows, self.columns, self.row_stride, self.down, self.across = entries

    def begin(self, channel: str, column: str) -> str:
        """Pointer to row 0 of a channel at a column."""
        function = self.function
        block = function.value(f"sdiv i64 {column}, {self.columns}")
        inside = function.value(f"srem i64 {column}, {self.columns}")
        pointer = function.at(self.base, function.multiply(channel, self.channel_stride))
        pointer = function.at(pointer, function.multiply(block, self.across))
        return function.at(pointer, function.multiply(inside, 4))

    def address(self, channel: str, row: str, column: str) -> str:
        """Pointer to any pixel."""
        function = self.function
        block = function.value(f"sdiv i64 {row}, {self.rows}")
        inside = function.value(f"srem i64 {row}, {self.rows}")
        pointer = function.at(self.begin(channel, column), function.multiply(block, self.down))
        return function.at(pointer, function.multiply(inside, self.row_stride))


class OutputRows:
    """Writes one vector a row, from row 0 of a channel downwards, at a column."""

    def __init__(self, layout: RowLayout, channel: str, column: str, width: str):
        function = layout.function
        self.function, self.layout = function, layout
        self.mask = function.lanes_below(function.subtract(width, column))
        self.pointer = function.variable("ptr", layout.begin(channel, column))
        self.left = function.variable("i64", layout.rows)
        # past the last row of a block the next one begins `rows - 1` rows back and one block down
        back = function.multiply(function.subtract(layout.rows, 1), layout.row_stride)
        self.jump = function.subtract(layout.down, back)

    def store(self, value: str) -> None:
        """Writes the vector as far as the image's width and goes one row down."""
        function = self.function
        pointer = function.get(self.pointer)
        function.store_masked(value, pointer, self.mask)
        left = function.subtract(function.get(self.left), 1)
        is_over = function.value(f"icmp eq i64 {left}, 0")
        step = function.value(f"select i1 {is_over}, i64 {self.jump}, i64 {self.layout.row_stride}")
        function.set(self.left, function.value(f"select i1 {is_over}, i64 {self.layout.rows}, i64 {left}"))
        function.advance(self.pointer, step)


class ShiftedColumns:
    """Loads, from a row, the pixels under each of a kernel's columns for one vector of outputs."""

    def __init__(self, function: Function, starts: list[str], masks: list[str], size: int, stride: int | str):
        self.function, self.starts, self.masks = function, starts, masks
        self.size, self.stride = size, stride

    def load(self, line: str) -> list[str]:
        """One vector for each of the kernel's columns, zeros outside the image."""
        if isinstance(self.stride, str):
            return [self._gathered(line, start, mask) for start, mask in self._places()]
        loaded = [
            self.function.load_masked(self._pointer(line, start), mask) for start, mask in self._places()
        ]
        return loaded if self.stride == 1 else [self._sorted(loaded, column) for column in range(self.size)]

    def _places(self) -> list[tuple[str, str]]:
        return list(zip(self.starts, self.masks, strict=True))

    def _pointer(self, line: str, start: str) -> str:
        return self.function.value(f"getelementptr float, ptr {line}, i64 {start}")

    def _sorted(self, loaded: list[str], column: int) -> str:
        """The even or the odd pixels of two vectors."""
        function = self.function
        low, high = loaded[column // 2 * 2], loaded[column // 2 * 2 + 1]
        order = ", ".join(f"i32 {2 * lane + column % 2}" for lane in range(function.lanes))
        return function.value(
            f"shufflevector {function.vector} {low}, {function.vector} {high}, "
            f"<{function.lanes} x i32> <{order}>"
        )

    def _gathered(self, line: str, start: str, mask: str) -> str:
        function, lanes = self.function, self.function.lanes
        steps = function.lane_products(str(self.stride))
        pointers = function.value(
            f"getelementptr float, ptr {self._pointer(line, start)}, <{lanes} x i64> {steps}"
        )
        return function.gather(pointers, mask)


def shifted_columns(
    function: Function, column: str, left: str, width: str, size: int, stride: int | str, dilation: str = "1"
) -> ShiftedColumns:
    """The columns under a kernel `size` wide for outputs from `column` on.

    `stride` 1 and 2 (without dilation at 2) are loaded as vectors; a stride given as a value is gathered.
    """
    first = function.subtract(function.multiply(column, stride), left)
    if stride == 2:
        offsets = [2 * pair + half * function.lanes for pair in range((size + 1) // 2) for half in range(2)]
        starts = [function.add(first, offset) for offset in offsets]
    else:
        starts = [function.add(first, function.multiply(shift, dilation)) for shift in range(size)]
    masks = [_inside(function, start, width, stride) for start in starts]
    return ShiftedColumns(function, starts, masks, size, stride)


def _inside(function: Function, start: str, width: str, stride: int | str) -> str:
    """The mask of lanes from column `start` on that lie in [0, width)."""
    if isinstance(stride, str):
        return _inside_strided(function, start, width, stride)
    above = function.compare_lanes("sge", function.subtract(0, start))
    below = function.compare_lanes("slt", function.subtract(width, start))
    return function.value(f"and {function.mask} {above}, {below}")


def _inside_strided(function: Function, start: str, width: str, stride: str) -> str:
    integers = f"<{function.lanes} x i64>"
    columns = function.value(
        f"add {integers} {function.lane_products(stride)}, {function.splat(start, 'i64')}"
    )
    # an unsigned comparison refuses negative columns as well
    return function.value(f"icmp ult {integers} {columns}, {function.splat(width, 'i64')}")
