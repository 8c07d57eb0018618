"""The accuracy run: every labelled example asked, and what the answers are worth."""

from collections.abc import Iterator, Mapping

import numpy as np

from pomona.compile.stopwatch.library import Library
from pomona.compile.stopwatch.systems.system import Connection
from pomona.export.quality import quality_of
from pomona.export.sessions.session import Session
from pomona.tasks.batch import Batch, take
from pomona.tasks.task import Task

AT_ONCE = 256


def system_quality(connection: Connection, library: Library, task: Task, *, samples_per_query: int) -> float:
    """The task's first metric of a system, asked in queries of the same size as under load."""

    def pairs() -> Iterator[tuple[Mapping[str, np.ndarray], Batch]]:
        for samples in _parts(library, samples_per_query):
            yield connection.outputs(connection.answer(samples)), take(library.truth, samples)

    return quality_of(pairs(), task)


def reference_quality(session: Session, library: Library, task: Task) -> float:
    """The task's first metric of a model in this process."""
    pairs = (
        (session.run(library.batch(samples)), take(library.truth, samples))
        for samples in _parts(library, AT_ONCE)
    )
    return quality_of(pairs, task)


def _parts(library: Library, count: int) -> Iterator[np.ndarray]:
    for start in range(0, library.size, count):
        yield np.arange(start, min(start + count, library.size))
