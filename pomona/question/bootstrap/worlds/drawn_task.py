"""Tasks without end, made of a function that draws raw examples."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.assemble import fingerprint
from pomona.tasks.batch import Batch, batch_size
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.features import input_features
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import encode_targets, is_known
from pomona.tasks.readers.array_kinds import array_target, fit_array
from pomona.tasks.source import ArraySource, DrawnSource
from pomona.tasks.task import Task

Draw = Callable[[np.random.Generator, int], Batch]
"""From a generator and a number of examples to raw arrays; equal generators draw equal examples."""

NUM_LOOKED_AT = 2000
"""Examples that tell what the inputs are, their means and deviations, and the classes."""

NUM_HELD = {"valid": 500, "test": 1000}


def drawn_task(name: str, draw: Draw, target: str, *, seed: int, about: str, licence: str = "") -> Task:
    """The task of telling the class `target` from the other arrays; its training split never ends.

    What arrays hold is told from their shapes, as for an npz file. Raises DataError when they make no task.
    """
    looked_at = _looked_at(name, draw, [target], seed)
    columns = [column for column in looked_at if column != target]
    if not columns:
        raise DataError(f"world {name}: draw gives only the classes {target!r}; wanted an input besides")
    steps = [fit_array(column, looked_at[column], "classify") for column in columns]
    empty = Task(
        name=name,
        kind="classify",
        inputs=input_features(Preprocessing(tuple(steps)), looked_at),
        targets={target: array_target(target, looked_at[target], "classify")},
        splits={"train": ArraySource({}), "valid": ArraySource({}), "test": ArraySource({})},
        metrics=DEFAULT_METRICS["classify"],
        preprocessing=Preprocessing(tuple(steps)),
        fingerprint="",
        about=about,
        licence=licence,
    )
    return redrawn(empty, draw, name=name, seed=seed)


def redrawn(task: Task, draw: Draw, *, name: str, seed: int) -> Task:
    """The task with all its examples drawn: without end to train on, some to validate and to test.

    `draw` gives the raw columns that the task's preprocessing reads, and its targets. Raises DataError when
    it does not, or draws other classes.
    """
    looked_at = _looked_at(name, draw, [*task.preprocessing.columns, *task.targets], seed)
    for target, feature in task.targets.items():
        if not is_known(feature, looked_at[target]).all():
            raise DataError(
                f"world {name}: draw gives classes of {target!r} that {task.name} lacks; it has "
                f"{', '.join(feature.classes)}"
            )

    def prepared(generator: np.random.Generator, num_examples: int) -> Batch:
        raw = draw(generator, num_examples)
        columns = {column: raw[column] for column in task.preprocessing.columns}
        return task.preprocessing.apply(columns) | encode_targets(task.targets, raw)

    return endless(task, prepared, name=name, seed=seed)


def endless(task: Task, prepared: Draw, *, name: str, seed: int) -> Task:
    """The task with examples that `prepared` draws as they are: without end to train on, some held out."""
    held = {split: prepared(stream(seed, "world", split), count) for split, count in NUM_HELD.items()}
    return replace(
        task,
        name=name,
        splits={"train": DrawnSource(prepared), **{split: ArraySource(held[split]) for split in held}},
        fingerprint=fingerprint(name, task.kind, {**task.inputs, **task.targets}, held),
    )


def _looked_at(name: str, draw: Draw, wanted: Sequence[str], seed: int) -> Batch:
    raw = draw(stream(seed, "world", "looked at"), NUM_LOOKED_AT)
    if not isinstance(raw, dict) or not all(isinstance(values, np.ndarray) for values in raw.values()):
        raise DataError(f"world {name}: draw must give a dict of arrays, got {type(raw).__name__}")
    if missing := [column for column in wanted if column not in raw]:
        raise DataError(f"world {name}: draw must give {missing[0]!r}, got {', '.join(raw)}")
    if batch_size(raw) != NUM_LOOKED_AT:
        raise DataError(f"world {name}: draw was asked for {NUM_LOOKED_AT} examples, gave {batch_size(raw)}")
    return raw
