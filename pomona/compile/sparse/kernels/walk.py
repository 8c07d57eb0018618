"""What every thread of a program runs: its list of tasks, with barriers between steps.

A barrier is a task like any other. Its table holds an arrival counter, a round number and the number of
threads; the last to arrive starts the next round. Who waits spins for a while and then gives way to others.
"""

from enum import IntEnum

from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel

SPINS_BEFORE_YIELD = 4000


class Barrier(IntEnum):
    """Entries of a barrier's table; the two that threads write lie in cache lines of their own."""

    ARRIVED = 0
    ROUND = 8
    NUM_THREADS = 16
    SIZE = 24


def walk() -> Kernel:
    """Calls a run of tasks: `void walk(ptr pairs, i64 count)`, a pair being a kernel and its table."""
    function = Function("walk", [("ptr", "pairs"), ("i64", "count")], 4)
    with function.loop(0, "%count") as index:
        pair = function.at("%pairs", function.multiply(index, 16))
        kernel = function.load(pair, "ptr", 8)
        table = function.load(function.at(pair, 8), "ptr", 8)
        function.do(f"call void {kernel}(ptr {table})")
    return Kernel("walk", function.text())


def barrier(pause: str) -> Kernel:
    """The barrier; `pause` is LLVM's name of the machine's spin-wait instruction, or empty."""
    function = Function("barrier", [("ptr", "arguments")], 4)
    arrived = function.at("%arguments", 8 * Barrier.ARRIVED)
    rounds = function.at("%arguments", 8 * Barrier.ROUND)
    num_threads = function.argument(Barrier.NUM_THREADS)
    this_round = function.value(f"load atomic i64, ptr {rounds} acquire, align 8")
    before = function.value(f"atomicrmw add ptr {arrived}, i64 1 acq_rel")
    is_last = function.value(f"icmp eq i64 {function.add(before, 1)}, {num_threads}")
    with function.when(is_last):
        function.do(f"store atomic i64 0, ptr {arrived} release, align 8")
        function.do(f"store atomic i64 {function.add(this_round, 1)}, ptr {rounds} release, align 8")
    _wait_while(function, rounds, this_round, pause)
    return Kernel("barrier", function.text())


def stamp(clock: int) -> Kernel:
    """Writes the time of a system clock, seconds and nanoseconds, to where the table's first entry points."""
    function = Function("stamp", [("ptr", "arguments")], 4)
    function.call("i32", "clock_gettime", ("i32", str(clock)), ("ptr", function.argument(0, "ptr")))
    return Kernel("stamp", function.text())


def await_round(pause: str) -> Kernel:
    """Waits until the number that the table points to is not its second entry, or for its third in spins."""
    function = Function("await_round", [("ptr", "arguments")], 4)
    watched, known = function.argument(0, "ptr"), function.argument(1)
    limit = function.argument(2)
    spins = function.variable("i64", "0")
    _wait_while(function, watched, known, pause, (spins, limit))
    return Kernel("await_round", function.text())


def _wait_while(function: Function, pointer: str, known: str, pause: str, bound=None) -> None:
    head, body, done = function.fresh("wait"), function.fresh("spin"), function.fresh("passed")
    spins = bound[0] if bound else function.variable("i64", "0")
    function.branch(head)
    function.label(head)
    now = function.value(f"load atomic i64, ptr {pointer} acquire, align 8")
    is_same = function.value(f"icmp eq i64 {now}, {known}")
    if bound:
        is_short = function.value(f"icmp slt i64 {function.get(spins)}, {bound[1]}")
        is_same = function.value(f"and i1 {is_same}, {is_short}")
    function.do(f"br i1 {is_same}, label %{body}, label %{done}")
    function.label(body)
    if pause:
        function.call("void", pause)
    function.advance(spins, 1)
    is_long = function.value(f"icmp sgt i64 {function.get(spins)}, {SPINS_BEFORE_YIELD}")
    with function.when(is_long):
        function.call("i32", "sched_yield")
    function.branch(head)
    function.label(done)
