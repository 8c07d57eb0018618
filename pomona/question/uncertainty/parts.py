"""The parts of a task that a method sees, each of them used for one thing only."""

from dataclasses import replace

import numpy as np

from pomona.fit.feeds import held_out
from pomona.foundation.errors import DataError, SettingError, unknown_name
from pomona.foundation.randomness import stream
from pomona.tasks.source import FiniteSource, SubsetSource, batches
from pomona.tasks.task import Task

CALIBRATE = "calibrate"
LEAST_EXAMPLES = 20
"""With fewer test examples one answer more or less moves every share by more than 5 points."""

KINDS = ("classify", "regress")


def check_task(task: Task) -> None:
    """Raises SettingError for a kind of task that this is not for, DataError for too few examples."""
    if task.kind not in KINDS:
        raise SettingError(f"uncertainty is for classify and regress; task {task.name!r} is {task.kind}")
    if len(task.targets) > 1:
        names = ", ".join(task.targets)
        raise SettingError(
            f"uncertainty is of one target; task {task.name!r} has {names}: give one with --target"
        )
    size = task.splits["test"].size
    if size is not None and size < LEAST_EXAMPLES:
        raise DataError(
            f"task {task.name!r} has {size} test examples; how sure a network is cannot be told from fewer "
            f"than {LEAST_EXAMPLES}"
        )


def with_calibration(task: Task) -> Task:
    """The task with half of its validation examples, drawn once and for all, in a split of their own.

    Weights and settings are chosen on the one half; temperatures and conformal sets, which would be too
    optimistic there, are fitted on the other.
    """
    if CALIBRATE in task.splits:
        return task
    source = held_out(task.splits["valid"], name="valid", seed=0)
    if source.size < 2:
        raise DataError(f"task {task.name!r} has {source.size} validation examples; at least 2 are needed")
    order = stream(0, "calibration", task.fingerprint).permutation(source.size)
    half = source.size // 2
    parts = {
        "valid": SubsetSource(source, np.sort(order[half:])),
        CALIBRATE: SubsetSource(source, np.sort(order[:half])),
    }
    return replace(task, splits={**task.splits, **parts})


def without_class(task: Task, name: str) -> tuple[Task, FiniteSource]:
    """The task without the examples of a class, and those of them that are in no part to learn from.

    The class keeps its place among the network's outputs.
    """
    (target, feature), *_ = task.targets.items()
    if name not in feature.classes:
        raise unknown_name(f"class of {target}", name, feature.classes)
    wanted = feature.classes.index(name)
    kept, outside = {}, []
    for split, source in task.splits.items():
        if source.size is None:
            raise SettingError(f"a class can be left out of finite splits; {split} has no end")
        assert isinstance(source, FiniteSource)
        is_it = _labels(source, target) == wanted
        if not is_it.all():
            kept[split] = SubsetSource(source, np.flatnonzero(~is_it))
        if split not in ("train", "valid", CALIBRATE) and is_it.any():
            outside.append(SubsetSource(source, np.flatnonzero(is_it)))
    if not outside:
        raise DataError(f"no test example is of class {name!r}: nothing would be from outside")
    fewer = replace(task, splits=kept, fingerprint=f"{task.fingerprint} without {name}")
    return fewer, max(outside, key=lambda source: source.size)


def _labels(source: FiniteSource, target: str) -> np.ndarray:
    return np.concatenate([batch[target] for batch in batches(source, 1024)])
