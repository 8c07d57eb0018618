"""Where tensors lie in a slot of shared memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pomona.compile.pipeline.tensor import Tensor

ALIGNMENT = 64
"""A cache line, and what vector instructions like."""

HEADER_BYTES = 512
"""Of a slot, before the first tensor: a number for the length of a message, and the message."""


@dataclass(frozen=True)
class SlotLayout:
    """Tensors one after the other, each at the beginning of a cache line."""

    tensors: tuple[Tensor, ...]

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each tensor begins, and where a slot ends."""
        offsets, end = [], HEADER_BYTES
        for tensor in self.tensors:
            offsets.append(end)
            end += -(-max(tensor.size_bytes, 1) // ALIGNMENT) * ALIGNMENT
        return (*offsets, end)

    @property
    def slot_bytes(self) -> int:
        """Bytes of a slot."""
        return self.offsets[-1]

    def views(self, memory: memoryview, slot: int) -> dict[str, np.ndarray]:
        """Name → the array that lies in a slot."""
        return {
            tensor.name: np.ndarray(
                tensor.shape, tensor.dtype, buffer=memory, offset=slot * self.slot_bytes + offset
            )
            for tensor, offset in zip(self.tensors, self.offsets, strict=False)
        }

    def write_message(self, memory: memoryview, slot: int, message: str) -> None:
        """Says what went wrong with the entry in a slot; "" says nothing did."""
        content = message.encode()[: HEADER_BYTES - 2]
        start = slot * self.slot_bytes
        memory[start : start + 2] = len(content).to_bytes(2, "little")
        memory[start + 2 : start + 2 + len(content)] = content

    def read_message(self, memory: memoryview, slot: int) -> str:
        """What `write_message` said."""
        start = slot * self.slot_bytes
        size = int.from_bytes(memory[start : start + 2], "little")
        return bytes(memory[start + 2 : start + 2 + size]).decode(errors="replace")


def missing_or_wrong(tensors: Sequence[Tensor], arrays: Mapping[str, np.ndarray]) -> str:
    """In a few words what is wrong with arrays that should be these tensors; "" when nothing is."""
    for tensor in tensors:
        array = arrays.get(tensor.name)
        wanted = f"{tensor.dtype} of shape {tensor.shape}"
        if array is None:
            return f"{tensor.name!r} is missing, {wanted} is wanted"
        if not isinstance(array, np.ndarray):
            return f"{tensor.name!r} is no array, {wanted} is wanted"
        if array.shape != tensor.shape or array.dtype.name != tensor.dtype:
            return f"{tensor.name!r} is {array.dtype.name} of shape {array.shape}, {wanted} is wanted"
    if other := sorted(set(arrays) - {tensor.name for tensor in tensors}):
        return f"there is no input {other[0]!r}, only {', '.join(tensor.name for tensor in tensors)}"
    return ""
