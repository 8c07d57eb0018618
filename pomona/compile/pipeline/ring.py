"""A ring of slots in shared memory, between one process that fills and one that empties.

The memory has no name: it is gone when the last process that has it ends, however that ends. Slots are handed
over as bytes in two pipes, one for full and one for free slots; who waits sleeps in the kernel, and a pipe
whose other end has died says so at once.
"""

import mmap
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pomona.compile.pipeline.layout import SlotLayout
from pomona.compile.pipeline.tensor import Tensor

MOST_SLOTS = 200
"""The number of a slot is one byte."""


@dataclass(frozen=True)
class RingFiles:
    """The descriptors of a ring: its memory, and both ends of its two pipes."""

    memory: int
    take_full: int
    give_full: int
    take_free: int
    give_free: int

    @property
    def of_filler(self) -> tuple[int, int, int]:
        """What the process that fills needs."""
        return self.memory, self.take_free, self.give_full

    @property
    def of_emptier(self) -> tuple[int, int, int]:
        """What the process that empties needs."""
        return self.memory, self.take_full, self.give_free


def open_ring(tensors: Sequence[Tensor], num_slots: int) -> RingFiles:
    """A ring for entries of these tensors, all of its slots free."""
    assert 0 < num_slots <= MOST_SLOTS
    memory = _unnamed_memory(SlotLayout(tuple(tensors)).slot_bytes * num_slots)
    take_full, give_full = os.pipe()
    take_free, give_free = os.pipe()
    os.write(give_free, bytes(range(num_slots)))
    return RingFiles(memory, take_full, give_full, take_free, give_free)


def _unnamed_memory(size_bytes: int) -> int:
    """A descriptor of shared memory, or, where a system has none without a name, of a file without one."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pomona-ring")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_bytes)
    return descriptor


class RingEnd:
    """One process's end of a ring: it takes slots from one pipe and gives them to the other."""

    def __init__(self, tensors: Sequence[Tensor], num_slots: int, files: tuple[int, int, int]):
        memory, self.take_file, self._give_file = files
        self._layout = SlotLayout(tuple(tensors))
        self._map = mmap.mmap(memory, self._layout.slot_bytes * num_slots)
        os.close(memory)
        self._memory = memoryview(self._map)
        self.slots = tuple(self._layout.views(self._memory, slot) for slot in range(num_slots))

    def take(self) -> int | None:
        """The next slot, waited for; None when the other end is closed and nothing is left."""
        found = os.read(self.take_file, 1)
        return found[0] if found else None

    def give(self, slot: int) -> bool:
        """Hands a slot over; False when nobody is there to take it."""
        try:
            os.write(self._give_file, bytes((slot,)))
        except BrokenPipeError:
            return False
        return True

    def message(self, slot: int) -> str:
        """What went wrong with the entry in a slot; "" when nothing did."""
        return self._layout.read_message(self._memory, slot)

    def set_message(self, slot: int, message: str) -> None:
        """Says what went wrong with the entry in a slot."""
        self._layout.write_message(self._memory, slot, message)

    def stop_giving(self) -> None:
        """Tells the other end that nothing more comes."""
        if self._give_file >= 0:
            os.close(self._give_file)
            self._give_file = -1

    def close(self) -> None:
        """Lets go of both pipes; the memory goes when no array lies in it any more."""
        self.stop_giving()
        if self.take_file >= 0:
            os.close(self.take_file)
            self.take_file = -1


def copied(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays that outlive the slot they lie in."""
    return {name: array.copy() for name, array in arrays.items()}
