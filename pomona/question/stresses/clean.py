"""The examples that stresses are made from: those of the test split."""

from pomona.foundation.randomness import stream
from pomona.tasks.source import ArraySource, EndlessSource, FiniteSource
from pomona.tasks.task import Task

NUM_DRAWN = 1000
"""Examples of a test split without end."""


def clean(task: Task, seed: int) -> FiniteSource:
    """The test examples; of an endless split always the same NUM_DRAWN."""
    source = task.splits["test"]
    if isinstance(source, EndlessSource) and source.size is None:
        return ArraySource(source.draw(stream(seed, "stress", "test"), NUM_DRAWN))
    assert isinstance(source, FiniteSource)
    return source
