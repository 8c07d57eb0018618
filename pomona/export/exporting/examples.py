"""Real examples of an artifact's task: to compare exports on, and to take ranges from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pomona.export.example import input_names, random_batch
from pomona.export.predictors.predictor import Predictor
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch, batch_size, take
from pomona.tasks.source import EndlessSource, Source
from pomona.tasks.task import Task

AT_ONCE = 64
MOST_TESTED = 4096


@dataclass(frozen=True)
class Examples:
    """What exports are compared on."""

    compared: tuple[Batch, ...]
    """Inputs of a few examples, made up where there are no real ones."""
    are_real: bool
    test: Batch | None
    """Test examples with their truth; None without a task."""


def examples_of(predictor: Predictor, task: Task | None, *, seed: int) -> Examples:
    """Examples of the task, or made-up ones when it cannot be had."""
    if task is None:
        made_up = random_batch(predictor.inputs, AT_ONCE, generator=stream(seed, "export"))
        return Examples((made_up,), False, None)
    test = some(task.splits["test"], MOST_TESTED, name="test", seed=seed)
    few = _inputs(take(test, np.arange(min(AT_ONCE, batch_size(test)))), task)
    return Examples((few,), True, test)


def calibration_batches(
    predictor: Predictor, task: Task | None, data: str | None, num_examples: int, *, seed: int
) -> Iterator[Batch]:
    """Inputs from the user's records, or else from the validation split."""
    if data is not None:
        left = num_examples
        for _, batch in predictor.prepared(data):
            yield take(batch, np.arange(min(left, batch_size(batch))))
            left -= min(left, batch_size(batch))
            if left <= 0:
                return
        return
    assert task is not None
    batch = _inputs(some(task.splits["valid"], num_examples, name="valid", seed=seed), task)
    for places in np.array_split(np.arange(batch_size(batch)), -(-batch_size(batch) // AT_ONCE)):
        yield take(batch, places)


def some(source: Source, count: int, *, name: str, seed: int) -> Batch:
    """So many examples of a split, or all when there are fewer; the same ones for the same seed."""
    if isinstance(source, EndlessSource) and source.size is None:
        return source.draw(stream(seed, "held out", name), min(count, 1000))
    assert source.size is not None
    places = np.arange(source.size)
    if source.size > count:
        places = np.sort(stream(seed, "export", name).choice(source.size, count, replace=False))
    return source.read(places)  # type: ignore[union-attr]


def _inputs(batch: Batch, task: Task) -> Batch:
    return {name: batch[name] for name in input_names(task.inputs)}
