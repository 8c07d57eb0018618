"""What every thread of a program runs: the stages in turn, of each its own tasks and then what others left.

A thread takes a task by raising the counter of its queue, and goes on when all the stage's tasks are done,
whoever did them. So a thread that the system keeps from running delays nobody but by the task it is in. A
counter's upper half is the number of the run: a thread that comes too late sees another number and leaves.
"""

from enum import IntEnum

from pomona.compile.sparse.kernels.text import Function
from pomona.compile.sparse.machine import Kernel

SPINS_BEFORE_YIELD = 2000
RUN_SHIFT = 32


class Walk(IntEnum):
    """Entries of a thread's table."""

    STAGES = 0
    NUM_STAGES = 1
    THREAD = 2
    NUM_THREADS = 3
    STAMPS = 4  # where the time after each stage is written, or null


class StageEntry(IntEnum):
    """Entries of a stage's table; a `Queue` for every thread follows."""

    DONE = 0  # points to the number of tasks that are done
    NUM_TASKS = 1
    QUEUES = 2


class Queue(IntEnum):
    """Entries of a thread's queue within a stage."""

    PAIRS = 0  # a kernel and its table for every task
    NUM_TASKS = 1
    NEXT = 2  # points to the number of the run and of the next task
    SIZE = 3


def walk(pause: str, clock: int) -> Kernel:
    """`void walk(ptr arguments, i64 run)`: all stages of a run.

    `pause` is LLVM's name of the machine's spin-wait instruction, or empty; `clock` is the system's number of
    the clock that stamps are read from.
    """
    return Kernel("walk", _Walk(pause, clock).text())


class _Walk:
    def __init__(self, pause: str, clock: int):
        self.function = Function("walk", [("ptr", "arguments"), ("i64", "run")], 4)
        self.pause, self.clock = pause, clock
        argument = self.function.argument
        self.thread, self.num_threads = argument(Walk.THREAD), argument(Walk.NUM_THREADS)
        self.stamps = argument(Walk.STAMPS, "ptr")

    def text(self) -> str:
        function, argument = self.function, self.function.argument
        size = function.multiply(self.num_threads, 8 * Queue.SIZE)
        stage_bytes = function.add(size, 8 * StageEntry.QUEUES)
        with function.loop(0, argument(Walk.NUM_STAGES)) as index:
            stage = function.at(argument(Walk.STAGES, "ptr"), function.multiply(index, stage_bytes))
            done = function.load(function.at(stage, 8 * StageEntry.DONE), "ptr", 8)
            with function.loop(0, self.num_threads) as turn:
                sum_ = function.add(self.thread, turn)
                owner = function.value(f"urem i64 {sum_}, {self.num_threads}")
                self._take_tasks(self._queue(stage, owner), done)
            num_tasks = function.load(function.at(stage, 8 * StageEntry.NUM_TASKS), "i64", 8)
            own = function.load(function.at(self._queue(stage, self.thread), 8 * Queue.NEXT), "ptr", 8)
            self._await_done(done, num_tasks, own)
            with function.when(function.value(f"icmp ne ptr {self.stamps}, null")):
                place = function.at(self.stamps, function.multiply(index, 16))
                function.call("i32", "clock_gettime", ("i32", str(self.clock)), ("ptr", place))
        return function.text()

    def _queue(self, stage: str, owner: str) -> str:
        offset = self.function.multiply(owner, 8 * Queue.SIZE)
        return self.function.at(self.function.at(stage, 8 * StageEntry.QUEUES), offset)

    def _take_tasks(self, queue: str, done: str) -> None:
        function = self.function
        head, try_, work, over = (function.fresh(name) for name in ("take", "try", "work", "over"))
        pairs = function.load(function.at(queue, 8 * Queue.PAIRS), "ptr", 8)
        num_tasks = function.load(function.at(queue, 8 * Queue.NUM_TASKS), "i64", 8)
        counter = function.load(function.at(queue, 8 * Queue.NEXT), "ptr", 8)
        function.branch(head)
        function.label(head)
        seen = function.value(f"load atomic i64, ptr {counter} acquire, align 8")
        self._leave_if_late(seen)
        index = function.value(f"and i64 {seen}, {2**RUN_SHIFT - 1}")
        is_left = function.value(f"icmp slt i64 {index}, {num_tasks}")
        function.do(f"br i1 {is_left}, label %{try_}, label %{over}")
        function.label(try_)
        raised = function.add(seen, 1)
        both = function.value(f"cmpxchg ptr {counter}, i64 {seen}, i64 {raised} acq_rel acquire")
        is_mine = function.value(f"extractvalue {{ i64, i1 }} {both}, 1")
        function.do(f"br i1 {is_mine}, label %{work}, label %{head}")
        function.label(work)
        pair = function.at(pairs, function.multiply(index, 16))
        kernel = function.load(pair, "ptr", 8)
        table = function.load(function.at(pair, 8), "ptr", 8)
        function.do(f"call void {kernel}(ptr {table})")
        function.value(f"atomicrmw add ptr {done}, i64 1 acq_rel")
        function.branch(head)
        function.label(over)

    def _await_done(self, done: str, num_tasks: str, own: str) -> None:
        function = self.function
        head, body, passed = (function.fresh(name) for name in ("wait", "spin", "passed"))
        spins = function.variable("i64", "0")
        function.branch(head)
        function.label(head)
        now = function.value(f"load atomic i64, ptr {done} acquire, align 8")
        is_over = function.value(f"icmp sge i64 {now}, {num_tasks}")
        function.do(f"br i1 {is_over}, label %{passed}, label %{body}")
        function.label(body)
        self._leave_if_late(function.value(f"load atomic i64, ptr {own} acquire, align 8"))
        _pause(function, self.pause)
        function.advance(spins, 1)
        is_long = function.value(f"icmp sgt i64 {function.get(spins)}, {SPINS_BEFORE_YIELD}")
        with function.when(is_long):
            function.call("i32", "sched_yield")
        function.branch(head)
        function.label(passed)

    def _leave_if_late(self, counter: str) -> None:
        function = self.function
        leave, stay = function.fresh("leave"), function.fresh("stay")
        run = function.value(f"lshr i64 {counter}, {RUN_SHIFT}")
        is_same = function.value(f"icmp eq i64 {run}, %run")
        function.do(f"br i1 {is_same}, label %{stay}, label %{leave}")
        function.label(leave)
        function.do("ret void")
        function.label(stay)


def await_run(pause: str) -> Kernel:
    """Waits until the number that the table points to is not its second entry, or for its third in spins."""
    function = Function("await_run", [("ptr", "arguments")], 4)
    watched, known, limit = function.argument(0, "ptr"), function.argument(1), function.argument(2)
    head, body, passed = (function.fresh(name) for name in ("wait", "spin", "passed"))
    spins = function.variable("i64", "0")
    function.branch(head)
    function.label(head)
    now = function.value(f"load atomic i64, ptr {watched} acquire, align 8")
    is_same = function.value(f"icmp eq i64 {now}, {known}")
    is_short = function.value(f"icmp slt i64 {function.get(spins)}, {limit}")
    goes_on = function.value(f"and i1 {is_same}, {is_short}")
    function.do(f"br i1 {goes_on}, label %{body}, label %{passed}")
    function.label(body)
    # it does not give way: on a busy machine it would be away when the run comes
    _pause(function, pause)
    function.advance(spins, 1)
    function.branch(head)
    function.label(passed)
    return Kernel("await_run", function.text())


def _pause(function: Function, pause: str) -> None:
    if pause:
        function.call("void", pause)
