"""Tensors in memory that processes share, and word of them from one to another.

The memory has no name: it is gone with the last process that has it. Word of a value is its number in a pipe
that the receiving worker sleeps on.
"""

import mmap
import os
import select
import struct
from collections.abc import Callable, Mapping, Sequence

import torch

ALIGNMENT = 64
WAIT_MS = 1000
"""How often one who waits looks whether its owner still lives."""

NUMBER = struct.Struct("<i")


class SharedTensors:
    """Tensors like those given, by name, all in one piece of shared memory. Make it before processes fork."""

    def __init__(self, examples: Mapping[str, torch.Tensor]):
        sizes = {name: _extent_bytes(tensor) for name, tensor in examples.items()}
        self._map = mmap.mmap(-1, max(sum(map(_rounded, sizes.values())), ALIGNMENT))
        memory = torch.frombuffer(self._map, dtype=torch.uint8)
        self.tensors: dict[str, torch.Tensor] = {}
        start = 0
        for name, tensor in examples.items():
            flat = memory[start : start + sizes[name]].view(tensor.dtype)
            # layouts such as channels last are kept: views and kernels depend on them
            self.tensors[name] = flat.as_strided(tensor.shape, tensor.stride())
            start += _rounded(sizes[name])


def _extent_bytes(tensor: torch.Tensor) -> int:
    if not tensor.numel():
        return 0
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return (last + 1) * tensor.element_size()


def _rounded(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


class Mailbox:
    """A pipe of numbers that anyone may write and one process reads."""

    def __init__(self) -> None:
        self.file, self._write_file = os.pipe()

    def post(self, number: int) -> None:
        """Sends a number; few bytes are written in one piece, whoever writes beside."""
        os.write(self._write_file, NUMBER.pack(number))

    def read(self, *, wait: bool, check: Callable[[], None]) -> list[int]:
        """The numbers that have come; with `wait` at least one, `check` being called now and then."""
        waiting = select.poll()
        waiting.register(self.file, select.POLLIN)
        while not waiting.poll(WAIT_MS if wait else 0):
            if not wait:
                return []
            check()
        content = os.read(self.file, 1 << 12)
        return [number for (number,) in NUMBER.iter_unpack(content)]

    def close(self) -> None:
        """Lets go of both ends."""
        os.close(self.file)
        os.close(self._write_file)


class SharedExchange:
    """One process's end: it posts the number of a value to those that need it, and reads its own mailbox."""

    def __init__(
        self,
        crossing: Mapping[str, tuple[int, ...]],
        shared: Mapping[str, torch.Tensor],
        mailboxes: Sequence[Mailbox],
        place: int,
        check: Callable[[], None],
    ):
        self._names, self._crossing, self._shared = tuple(crossing), crossing, shared
        self._mailboxes, self._own, self._check = mailboxes, mailboxes[place], check
        self._number = {name: number for number, name in enumerate(crossing)}
        self._early: list[int] = []

    def send(self, name: str, value: torch.Tensor) -> None:
        """Copies a value into shared memory and posts its number."""
        self._shared[name].copy_(value)
        for place in self._crossing[name]:
            self._mailboxes[place].post(self._number[name])

    def receive(self, *, wait: bool) -> dict[str, torch.Tensor]:
        """The values whose numbers have come, where they lie."""
        early, self._early = self._early, []
        numbers = early or self._own.read(wait=wait, check=self._check)
        return {self._names[number]: self._shared[self._names[number]] for number in numbers}

    def order(self) -> int:
        """Waits for a number below zero; values of workers that began earlier are kept for `receive`."""
        order = 0
        while order >= 0:
            numbers = self._own.read(wait=True, check=self._check)
            self._early += [number for number in numbers if number >= 0]
            order = min(numbers)
        return order
