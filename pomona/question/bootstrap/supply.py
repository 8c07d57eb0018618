"""Where the examples of each world come from: some that are used again and again, or always fresh ones.

The real world's examples of one seed are the same in each of its sizes but for their number, and the test
examples of one seed are the same in both worlds: what differs is the world.
"""

from dataclasses import replace

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.source import ArraySource, EndlessSource, FiniteSource, SubsetSource
from pomona.tasks.task import Task


def real_world(world: Task, size: int, seed: int) -> Task:
    """The task with `size` training examples drawn from the world; fewer are the first of more."""
    source = world.splits["train"]
    if isinstance(source, EndlessSource) and source.size is None:
        return with_train(world, ArraySource(_drawn(source, size, seed)))
    assert isinstance(source, FiniteSource)
    ids = stream(seed, "real world").permutation(source.size)[:size]
    return with_train(world, SubsetSource(source, ids))


def held_examples(world: Task, count: int, seed: int) -> FiniteSource:
    """Examples to test a seed on: fresh ones, or, of a world with an end, some of its test split."""
    source = world.splits["train"]
    if isinstance(source, EndlessSource) and source.size is None:
        return ArraySource(source.draw(stream(seed, "test world"), count))
    held = world.splits["test"]
    assert isinstance(held, FiniteSource)
    return SubsetSource(held, stream(seed, "test world").permutation(held.size)[:count])


def with_train(task: Task, source: FiniteSource) -> Task:
    """The task with another training split."""
    return replace(task, splits={**task.splits, "train": source})


DRAWN_AT_ONCE = 100
"""Examples of the real world that are drawn from one stream, so that more of them begin with the same."""


def _drawn(source: EndlessSource, size: int, seed: int) -> dict[str, np.ndarray]:
    parts = [
        source.draw(stream(seed, "real world", start), DRAWN_AT_ONCE)
        for start in range(0, size, DRAWN_AT_ONCE)
    ]
    return {name: np.concatenate([part[name] for part in parts])[:size] for name in parts[0]}
