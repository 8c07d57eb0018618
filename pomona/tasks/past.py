"""The past of what is to be forecast, in the unit of the target."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.task import Task

Past = tuple[Float[np.ndarray, "batch time feature"], Bool[np.ndarray, "batch time"]]


def past_of(task: Task, target: str, batch: Mapping[str, np.ndarray]) -> Past | None:
    """The series that a target goes on, in the target's unit, and which of its steps are real.

    It is the one input that is a series with the target's features and unit, its standardisation undone; None
    where no input or more than one is such a series.
    """
    wanted = task.targets[target]
    alike = [name for name, feature in task.inputs.items() if _goes_on(feature, wanted) and name in batch]
    if len(alike) != 1:
        return None
    steps = [step for step in task.preprocessing.steps if step.output == alike[0]]
    series = batch[alike[0]].astype(np.float64)
    if len(steps) > 1 or any(step.kind != "series" for step in steps):
        return None
    for step in steps:
        series = series * np.asarray(step.settings["std"]) + np.asarray(step.settings["mean"])
    return series, batch.get(mask_key(alike[0]), np.ones(series.shape[:2], bool))


def _goes_on(feature: Feature, target: Feature) -> bool:
    return (
        feature.kind == target.kind == "series"
        and feature.shape[1:] == target.shape[1:]
        and feature.unit == target.unit
    )
