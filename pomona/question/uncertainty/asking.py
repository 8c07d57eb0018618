"""Asking a method about every example of a source."""

from collections.abc import Callable

import numpy as np

from pomona.fit.feeds import held_out
from pomona.question.uncertainty.said import Said, SaidValues, join_said
from pomona.tasks.batch import Batch
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task

BATCH_SIZE = 256

Say = Callable[[Batch], Said | SaidValues]


def said_of_source(say: Say, task: Task, source: FiniteSource) -> tuple[Said | SaidValues, np.ndarray]:
    """What is said of every example, in order, and the truth."""
    target = next(iter(task.targets))
    parts, truths = [], []
    for batch in batches(source, BATCH_SIZE):
        parts.append(say(batch))
        truths.append(batch[target])
    return join_said(parts), np.concatenate(truths)


def said_of_split(say: Say, task: Task, split: str) -> tuple[Said | SaidValues, np.ndarray]:
    """The same of a split; of an endless one always of the same 1000 examples."""
    return said_of_source(say, task, held_out(task.splits[split], name=split, seed=0))
