"""LLVM IR written from Python: a function's text, with loops, variables and vectors of float32.

Variables live in stack slots; LLVM's first passes turn them into registers, so no kernel writes a phi by
hand. Values are strings such as `%v7` or constants; types are LLVM's.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """A typed stack slot."""

    slot: str
    type: str


class Function:
    """One `void` function under construction; `text()` is the module that holds it alone.

    `lanes` is how many float32 a vector register holds.
    """

    def __init__(self, name: str, parameters: Sequence[tuple[str, str]], lanes: int):
        self.name = name
        self.parameters = tuple(parameters)
        self.lanes = lanes
        self.vector = f"<{lanes} x float>"
        self.mask = f"<{lanes} x i1>"
        self._slots: list[str] = []
        self._body: list[str] = []
        self._declared: dict[str, None] = {}
        self._count = 0

    def text(self) -> str:
        """The module's IR."""
        parameters = ", ".join(f"{kind} %{name}" for kind, name in self.parameters)
        head = f"define void @{self.name}({parameters}) nounwind {{\nentry:"
        lines = [*self._declared, head, *self._slots, *self._body, "  ret void\n}"]
        return "\n".join(lines) + "\n"

    def declare(self, declaration: str) -> None:
        """Adds a declaration to the module, once."""
        self._declared[declaration] = None

    def fresh(self, prefix: str) -> str:
        """A name used nowhere else."""
        self._count += 1
        return f"{prefix}{self._count}"

    def do(self, instruction: str) -> None:
        """Adds an instruction without a result."""
        self._body.append(f"  {instruction}")

    def value(self, instruction: str) -> str:
        """Adds an instruction; the name of its result."""
        name = "%" + self.fresh("v")
        self._body.append(f"  {name} = {instruction}")
        return name

    def call(self, result: str, name: str, *arguments: tuple[str, str]) -> str:
        """Calls a function of the module's environment or an intrinsic; its result, or `` for void."""
        kinds = ", ".join(kind for kind, _ in arguments)
        self.declare(f"declare {result} @{name}({kinds})")
        instruction = f"call {result} @{name}({', '.join(f'{kind} {value}' for kind, value in arguments)})"
        if result == "void":
            self.do(instruction)
            return ""
        return self.value(instruction)

    def variable(self, kind: str, initial: str) -> Variable:
        """A slot that holds `initial` from here on."""
        slot = "%" + self.fresh("s")
        self._slots.append(f"  {slot} = alloca {kind}")
        variable = Variable(slot, kind)
        self.set(variable, initial)
        return variable

    def get(self, variable: Variable) -> str:
        """What the slot holds."""
        return self.value(f"load {variable.type}, ptr {variable.slot}")

    def set(self, variable: Variable, value: str) -> None:
        """Puts a value into the slot."""
        self.do(f"store {variable.type} {value}, ptr {variable.slot}")

    def advance(self, variable: Variable, step: str | int) -> None:
        """Adds `step` to an i64, or `step` bytes to a pointer."""
        if variable.type == "ptr":
            self.set(variable, self.at(self.get(variable), step))
        else:
            self.set(variable, self.add(self.get(variable), step))

    def label(self, label: str) -> None:
        """Begins a block of instructions."""
        self._body.append(f"{label}:")

    def branch(self, label: str) -> None:
        """Goes to a block."""
        self.do(f"br label %{label}")

    @contextmanager
    def loop(self, start: str | int, stop: str | int, step: str | int = 1) -> Iterator[str]:
        """Repeats the block for an i64 from `start` while it is below `stop`."""
        head, body, done = self.fresh("head"), self.fresh("body"), self.fresh("done")
        counter = self.variable("i64", str(start))
        self.branch(head)
        self.label(head)
        index = self.get(counter)
        below = self.value(f"icmp slt i64 {index}, {stop}")
        self.do(f"br i1 {below}, label %{body}, label %{done}")
        self.label(body)
        yield index
        self.set(counter, self.add(index, step))
        self.branch(head)
        self.label(done)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Runs the block if the i1 holds."""
        body, done = self.fresh("then"), self.fresh("done")
        self.do(f"br i1 {condition}, label %{body}, label %{done}")
        self.label(body)
        yield
        self.branch(done)
        self.label(done)

    def add(self, left: str | int, right: str | int) -> str:
        """i64 sum."""
        return self.value(f"add nsw i64 {left}, {right}")

    def subtract(self, left: str | int, right: str | int) -> str:
        """i64 difference."""
        return self.value(f"sub nsw i64 {left}, {right}")

    def multiply(self, left: str | int, right: str | int) -> str:
        """i64 product."""
        return self.value(f"mul nsw i64 {left}, {right}")

    def at(self, pointer: str, offset: str | int) -> str:
        """The pointer `offset` bytes further."""
        return self.value(f"getelementptr inbounds i8, ptr {pointer}, i64 {offset}")

    def argument(self, index: int, kind: str = "i64") -> str:
        """Entry `index` of the table of eight-byte numbers in parameter `arguments`."""
        entry = self.at("%arguments", 8 * index)
        return self.value(f"load {kind}, ptr {entry}, align 8, !invariant.load !{{}}")

    def load(self, pointer: str, kind: str | None = None, align: int = 4) -> str:
        """What lies at the pointer; a vector unless `kind` says otherwise."""
        return self.value(f"load {kind or self.vector}, ptr {pointer}, align {align}")

    def store(self, value: str, pointer: str, kind: str | None = None, align: int = 4) -> None:
        """Writes a vector, or a value of `kind`."""
        self.do(f"store {kind or self.vector} {value}, ptr {pointer}, align {align}")

    def load_masked(self, pointer: str, mask: str) -> str:
        """A vector with zeros where the mask is off; nothing is read there."""
        return self.call(
            self.vector,
            f"llvm.masked.load.v{self.lanes}f32.p0",
            ("ptr", pointer),
            ("i32", "4"),
            (self.mask, mask),
            (self.vector, "zeroinitializer"),
        )

    def gather(self, pointers: str, mask: str, otherwise: str = "zeroinitializer") -> str:
        """The numbers that the lanes of `pointers` point to; `otherwise` where the mask is off."""
        return self.call(
            self.vector,
            f"llvm.masked.gather.v{self.lanes}f32.v{self.lanes}p0",
            (f"<{self.lanes} x ptr>", pointers),
            ("i32", "4"),
            (self.mask, mask),
            (self.vector, otherwise),
        )

    def store_masked(self, value: str, pointer: str, mask: str) -> None:
        """Writes the vector where the mask is on."""
        self.call(
            "void",
            f"llvm.masked.store.v{self.lanes}f32.p0",
            (self.vector, value),
            ("ptr", pointer),
            ("i32", "4"),
            (self.mask, mask),
        )

    def lanes_below(self, count: str) -> str:
        """The mask whose first `count` (an i64) lanes are on."""
        return self.compare_lanes("slt", count)

    def compare_lanes(self, relation: str, limit: str) -> str:
        """The mask of lanes whose index stands in `relation` (slt, sge) to an i64."""
        integers = f"<{self.lanes} x i32>"
        narrow = self.value(f"trunc i64 {limit} to i32")
        indices = "<" + ", ".join(f"i32 {lane}" for lane in range(self.lanes)) + ">"
        return self.value(f"icmp {relation} {integers} {indices}, {self.splat(narrow, 'i32')}")

    def lane_products(self, factor: str) -> str:
        """The vector of i64 whose lane i holds i times `factor`."""
        integers = f"<{self.lanes} x i64>"
        indices = "<" + ", ".join(f"i64 {lane}" for lane in range(self.lanes)) + ">"
        return self.value(f"mul {integers} {indices}, {self.splat(factor, 'i64')}")

    def splat(self, value: str, kind: str = "float") -> str:
        """A vector whose lanes all hold the scalar."""
        vector = f"<{self.lanes} x {kind}>"
        first = self.value(f"insertelement {vector} poison, {kind} {value}, i64 0")
        return self.value(
            f"shufflevector {vector} {first}, {vector} poison, <{self.lanes} x i32> zeroinitializer"
        )

    def constant(self, number: float) -> str:
        """A vector constant."""
        return self.splat(number_text(number))

    def lane_sum(self, vector: str, start: str = "0.0") -> str:
        """The float `start` plus all lanes, added as a tree of a shape fixed when the kernel is compiled."""
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f32"
        self.declare(f"declare float @{name}(float, {self.vector})")
        return self.value(f"call reassoc float @{name}(float {start}, {self.vector} {vector})")

    def operate(self, operation: str, left: str, right: str) -> str:
        """A vector operation of two operands: fadd, fsub, fmul, fdiv."""
        return self.value(f"{operation} {self.vector} {left}, {right}")

    def intrinsic(self, name: str, *operands: str) -> str:
        """An intrinsic of vectors: fma, minnum, maxnum, floor."""
        return self.call(
            self.vector, f"llvm.{name}.v{self.lanes}f32", *((self.vector, operand) for operand in operands)
        )

    def fma(self, left: str, right: str, addend: str) -> str:
        """left * right + addend, rounded once."""
        return self.intrinsic("fma", left, right, addend)


def number_text(number: float) -> str:
    """A float32 as LLVM writes it: the bits of the double of the same value."""
    rounded = struct.unpack("<f", struct.pack("<f", number))[0]
    return f"0x{struct.unpack('<Q', struct.pack('<d', rounded))[0]:016X}"
