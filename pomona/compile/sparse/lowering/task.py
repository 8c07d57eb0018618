"""What lowering gives and gets: tasks, and the place where tensors and constants lie."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pomona.compile.sparse.layout import CACHE_LINE, Layout
from pomona.compile.sparse.machine import Kernel, Machine
from pomona.compile.sparse.plan import Plan


@dataclass(frozen=True)
class Task:
    """One call of a kernel with its table of arguments. `cost` is its share of the step's work."""

    kernel: Kernel
    entries: tuple[int, ...]
    cost: float = 1.0


SHARES_EACH = 4
"""Into how many tasks a thread's part of a step goes, so that another can take what it has not begun."""

Stage = Sequence[Sequence[Task]]
"""For every thread the tasks that it does between two barriers."""


@dataclass(frozen=True)
class Place:
    """Where everything lies: layouts and addresses of tensors, and constants that live as long as it."""

    plan: Plan
    machine: Machine
    num_threads: int
    layouts: Mapping[str, Layout]
    addresses: Mapping[str, int]
    constants: list[np.ndarray] = field(default_factory=list)

    def constant(self, values: np.ndarray) -> int:
        """The address of a copy of `values` that begins a cache line."""
        copy = aligned_bytes(max(values.nbytes, 1))
        copy[: values.nbytes] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.constants.append(copy)
        return copy.ctypes.data

    def floats(self, values: np.ndarray | None, size: int) -> int:
        """The address of a float32 copy, or of zeros where there are none."""
        return self.constant(np.zeros(size, np.float32) if values is None else np.asarray(values, np.float32))

    def shares(self, count: int) -> list[tuple[int, int]]:
        """Runs of `count` things: one for a single thread, some for each of several, which then may help."""
        return runs(count, 1 if self.num_threads == 1 else SHARES_EACH * self.num_threads)


def aligned_bytes(size: int) -> np.ndarray:
    """Zeros that begin a cache line."""
    raw = np.zeros(size + CACHE_LINE, np.uint8)
    begin = -raw.ctypes.data % CACHE_LINE
    return raw[begin : begin + size]


def split(tasks: Sequence[Task], num_threads: int) -> Stage:
    """The tasks in runs of about equal cost, one a thread."""
    ends = np.cumsum([task.cost for task in tasks])
    share = ends[-1] / num_threads if len(tasks) else 1.0
    # a task belongs to the thread in whose share its middle lies
    middles = ends - np.array([task.cost for task in tasks]) / 2
    owners = np.minimum((middles / share).astype(int), num_threads - 1)
    return [
        [task for task, owner in zip(tasks, owners, strict=True) if owner == thread]
        for thread in range(num_threads)
    ]


def runs(count: int, num_threads: int) -> list[tuple[int, int]]:
    """(start, stop) of `num_threads` runs of `count` things, as even as may be; empty ones are left out."""
    ends = [count * thread // num_threads for thread in range(num_threads + 1)]
    return [(start, stop) for start, stop in itertools.pairwise(ends) if stop > start]
