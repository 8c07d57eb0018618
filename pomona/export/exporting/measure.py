"""What an export is like: its difference from the artifact, its quality, size and time for one example."""

from pathlib import Path
from typing import Any

import numpy as np

from pomona.export.exporting.examples import AT_ONCE, Examples
from pomona.export.latency import latency
from pomona.export.parity import difference
from pomona.export.quality import Quality, compared, quality_of
from pomona.export.sessions.session import Session
from pomona.tasks.batch import batch_size, take
from pomona.tasks.outputs import CLASS_AXIS
from pomona.tasks.task import Task


def measured(session: Session, path: Path, original: Session, examples: Examples) -> dict[str, Any]:
    """Bytes, the largest difference relative to a head's largest entry, and milliseconds for one example."""
    largest = 0.0
    for batch in examples.compared:
        wanted, got = original.run(batch), session.run(batch)
        largest = max(largest, *(difference(wanted[head], got[head]) for head in wanted))
    time = latency(session, examples.compared[0])
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "difference": largest,
        "on_real_examples": examples.are_real,
        "latency_ms": time.median_ms,
        "latency_interval": [time.low_ms, time.high_ms],
        "p90_ms": time.p90_ms,
        "threads": time.threads,
    }


def quality_beside(
    session: Session, original: Session, task: Task | None, examples: Examples, *, target: float
) -> Quality | None:
    """The first metric on test examples beside that of the artifact; None without a task."""
    if task is None or examples.test is None:
        return None
    values = []
    for one in (session, original):
        parts = np.array_split(np.arange(batch_size(examples.test)), -(-batch_size(examples.test) // AT_ONCE))
        pairs = ((one.run(part), part) for part in (take(examples.test, places) for places in parts))
        values.append(quality_of(pairs, task))
    return compared(values[0], values[1], task, target=target, examples=batch_size(examples.test))


def agreement(session: Session, original: Session, kind: str, examples: Examples) -> float | None:
    """The share of decisions that are the same; None for kinds that do not decide between classes."""
    if kind not in CLASS_AXIS:
        return None
    same, number = 0, 0
    for batch in examples.compared:
        wanted, got = original.run(batch), session.run(batch)
        for head, values in wanted.items():
            equal = values.argmax(CLASS_AXIS[kind]) == got[head].argmax(CLASS_AXIS[kind])
            same, number = same + int(equal.sum()), number + equal.size
    return same / number if number else None
