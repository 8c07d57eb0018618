"""Training batches in an order that follows from the seed, from memory or read ahead in the background.

Batch `step` depends on (seed, name, step) alone, so that a training goes on from any step as if it had never
stopped, and a source too large for memory gives the same batches as one that fits.
"""

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from pomona.fit.draws import Draws
from pomona.fit.objectives import SCALED_KINDS, Tensors
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch, join_batches
from pomona.tasks.feature import mask_key
from pomona.tasks.source import ArraySource, EndlessSource, FiniteSource, Source, batches
from pomona.tasks.task import Task

T = TypeVar("T")

ENDLESS_EPOCH = 100
"""Steps that count as an epoch where examples never end."""

READ_AT_ONCE = 1024
EVALUATED_AT_ONCE = 256
READ_AHEAD = 4


@dataclass(frozen=True)
class Place:
    """Where tensors live and in which precision floats are kept."""

    device: str = "cpu"
    dtype: torch.dtype = torch.float32


class Feed(Protocol):
    """Batches of tensors."""

    @property
    def epoch_steps(self) -> int:
        """Steps an epoch."""
        ...

    def batches(self, first_step: int) -> Generator[Tensors, None, None]:
        """Batch `first_step` and all after it, without end."""
        ...


@dataclass(frozen=True)
class MemoryFeed:
    """Batches of examples that are held as tensors."""

    examples: Tensors
    order: "Order"

    @property
    def epoch_steps(self) -> int:
        return self.order.epoch_steps

    def batches(self, first_step: int) -> Generator[Tensors, None, None]:
        device = next(iter(self.examples.values())).device
        for ids in self.order.steps(first_step):
            chosen = torch.from_numpy(ids).to(device)
            # index_select would lose the memory layout of images of one channel: 6 % slower convolutions
            yield {name: tensor[chosen] for name, tensor in self.examples.items()}


@dataclass(frozen=True)
class StreamFeed:
    """Batches that are read from a finite source while the last ones are computed with."""

    source: FiniteSource
    order: "Order"
    task: Task
    place: Place

    @property
    def epoch_steps(self) -> int:
        return self.order.epoch_steps

    def batches(self, first_step: int) -> Generator[Tensors, None, None]:
        numbers = (self.source.read(ids) for ids in self.order.steps(first_step))
        return ahead(numbers, lambda batch: to_tensors(batch, self.task, self.place))


@dataclass(frozen=True)
class DrawnFeed:
    """Batches drawn from an endless source, each from a stream of its own."""

    source: EndlessSource
    task: Task
    place: Place
    batch_size: int
    draws: Draws
    epoch_steps: int = ENDLESS_EPOCH

    def batches(self, first_step: int) -> Generator[Tensors, None, None]:
        numbers = (
            self.source.draw(self.draws.stream("draw", step), self.batch_size)
            for step in itertools.count(first_step)
        )
        return ahead(numbers, lambda batch: to_tensors(batch, self.task, self.place))


@dataclass(frozen=True)
class Order:
    """The order in which examples are seen: one permutation after another, cut into batches of one size.

    A batch may hold the end of one epoch and the start of the next.
    """

    size: int
    batch_size: int
    draws: Draws

    @property
    def epoch_steps(self) -> int:
        """Batches an epoch, to the nearest whole number."""
        return max(1, round(self.size / self.batch_size))

    def steps(self, first_step: int) -> Iterator[Int[np.ndarray, " batch"]]:
        """Positions of the examples of step `first_step` and of all after it."""
        epoch, start = divmod(first_step * self.batch_size, self.size)
        left = self._permutation(epoch)[start:]
        while True:
            if len(left) < self.batch_size:
                epoch += 1
                left = np.concatenate([left, self._permutation(epoch)])
            yield left[: self.batch_size]
            left = left[self.batch_size :]

    def _permutation(self, epoch: int) -> Int[np.ndarray, " size"]:
        return self.draws.stream("order", epoch).permutation(self.size)


def make_feed(task: Task, split: str, place: Place, settings: FitSettings, draws: Draws) -> Feed:
    """The feed of a split: from memory where it fits `memory_mb`, else read ahead."""
    source = task.splits[split]
    if isinstance(source, EndlessSource) and source.size is None:
        return DrawnFeed(source, task, place, settings.batch_size, draws)
    assert isinstance(source, FiniteSource)
    if source.size == 0:
        raise DataError(f"the {split} split of task {task.name!r} is empty; it needs at least one example")
    order = Order(source.size, min(settings.batch_size, source.size), draws)
    if not fits(source, settings.memory_mb):
        return StreamFeed(source, order, task, place)
    return MemoryFeed(to_tensors(read_all(source), task, place), order)


def valid_batches(
    task: Task, place: Place, settings: FitSettings, *, seed: int
) -> Callable[[], Iterable[tuple[Batch, Tensors]]]:
    """Gives the validation batches as arrays and as tensors; they are held where they fit `memory_mb`."""
    source = held_out(task.splits["valid"], name="valid", seed=seed)

    def read() -> Iterator[tuple[Batch, Tensors]]:
        return ((batch, to_tensors(batch, task, place)) for batch in batches(source, EVALUATED_AT_ONCE))

    if not fits(source, settings.memory_mb):
        return read
    held = list(read())
    return lambda: held


def to_tensors(batch: Batch, task: Task, place: Place) -> Tensors:
    """The inputs, targets, masks and weights of a batch as tensors; numbers to be learned are scaled.

    What the batch lacks is left out: a source to predict for need not know the truth.
    """
    found = {}
    for name in (*task.inputs, *task.targets):
        for key in (name, mask_key(name)):
            if key in batch:
                found[key] = _tensor(batch[key], place)
    for name, feature in task.targets.items():
        is_scaled = feature.kind in SCALED_KINDS and (feature.center, feature.scale) != (0.0, 1.0)
        if is_scaled and name in found:
            found[name] = (found[name] - feature.center) / feature.scale
    if "weight" in batch:
        found["weight"] = _tensor(batch["weight"], place)
    return found


def fits(source: FiniteSource, memory_mb: int) -> bool:
    """Whether all examples together, prepared, take at most `memory_mb` times 2**20 bytes."""
    one = source.read(np.arange(min(1, source.size)))
    return source.size * sum(array.nbytes for array in one.values()) <= memory_mb * 2**20


def read_all(source: FiniteSource) -> Batch:
    """All examples of a source, prepared a part at a time."""
    return join_batches(list(batches(source, READ_AT_ONCE)))


def held_out(source: Source, *, name: str, seed: int, num_drawn: int = 1000) -> FiniteSource:
    """A source to evaluate on: itself when it ends, else always the same `num_drawn` examples of it."""
    if source.size is not None:
        assert isinstance(source, FiniteSource)
        return source
    assert isinstance(source, EndlessSource)
    return ArraySource(source.draw(stream(seed, "held out", name), num_drawn))


def ahead(items: Iterator[Batch], prepare: Callable[[Batch], T]) -> Generator[T, None, None]:
    """What `prepare` makes of each item, a few items ahead, in a background thread; errors are raised here.

    The thread ends when the iterator is closed or forgotten.
    """
    ready: queue.Queue[tuple[bool, object]] = queue.Queue(maxsize=READ_AHEAD)
    is_over = threading.Event()

    def put(kind: bool, item: object) -> None:
        while not is_over.is_set():
            try:
                return ready.put((kind, item), timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(True, prepare(item))
                if is_over.is_set():
                    return
        except BaseException as error:
            put(False, error)
        else:
            put(False, None)

    thread = threading.Thread(target=work, name="pomona-read-ahead", daemon=True)
    thread.start()
    return _handed_out(ready, is_over, thread)


def _handed_out(ready: queue.Queue, is_over: threading.Event, thread: threading.Thread) -> Generator:
    try:
        while True:
            is_item, item = ready.get()
            if is_item:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        is_over.set()
        thread.join(timeout=5)


def _tensor(array: np.ndarray, place: Place) -> Tensor:
    # a memory-mapped or shared array may be read-only, which a tensor cannot be
    tensor = torch.from_numpy(array if array.flags.writeable and array.flags.c_contiguous else array.copy())
    dtype = place.dtype if tensor.is_floating_point() else tensor.dtype
    return tensor.to(place.device, dtype)
