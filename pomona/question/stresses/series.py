"""Series as sensors give them on a bad day: gaps, a shift of level, outliers."""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.strengths import STRENGTHS
from pomona.tasks.batch import Batch
from pomona.tasks.feature import mask_key
from pomona.tasks.source import Source
from pomona.tasks.task import Task

Values = Float[np.ndarray, "batch time feature"]


def series(task: Task, seed: int) -> dict[str, Source]:
    """Splits named STRESS-STRENGTH; none for a task without series. Sizes are in deviations of training."""
    names = [name for name, feature in task.inputs.items() if feature.kind == "series"]
    if not names:
        return {}
    source = clean(task, seed)
    return {
        f"{name}-{strength}": ChangedSource(
            source,
            functools.partial(_changed, names=names, stress=stress, place=place),
            f"{name}-{strength}",
            seed,
        )
        for name, stress in SERIES.items()
        for place, strength in enumerate(STRENGTHS)
    }


def gaps(values: Values, place: int, generator: np.random.Generator) -> Values:
    """A stretch of 10, 25 or 50 % of the time at which the last value is repeated."""
    num_examples, time = values.shape[:2]
    length = max(int((0.1, 0.25, 0.5)[place] * time), 1)
    start = generator.integers(0, time - length + 1, num_examples)[:, None]
    steps = np.arange(time)[None, :]
    held = np.where((steps >= start) & (steps < start + length), np.maximum(start - 1, 0), steps)
    return np.take_along_axis(values, held[:, :, None], axis=1)


def level_shift(values: Values, place: int, generator: np.random.Generator) -> Values:
    """From a random moment on, all is 0.5, 1 or 2 deviations higher or lower."""
    num_examples, time, num_features = values.shape
    start = generator.integers(0, time, num_examples)[:, None, None]
    shift = (0.5, 1.0, 2.0)[place] * generator.choice([-1.0, 1.0], (num_examples, 1, num_features))
    return values + shift * (np.arange(time)[None, :, None] >= start)


def outliers(values: Values, place: int, generator: np.random.Generator) -> Values:
    """2, 5 or 10 % of the values lie 5 deviations too high or too low."""
    hit = generator.random(values.shape) < (0.02, 0.05, 0.1)[place]
    return values + 5.0 * hit * generator.choice([-1.0, 1.0], values.shape)


SERIES: dict[str, Callable[[Values, int, np.random.Generator], Values]] = {
    "gaps": gaps,
    "level-shift": level_shift,
    "outliers": outliers,
}


def _changed(
    batch: Batch,
    generator: np.random.Generator,
    *,
    names: list[str],
    stress: Callable[..., Values],
    place: int,
) -> Batch:
    changed = dict(batch)
    for name in names:
        values = stress(batch[name], place, generator).astype(np.float32)
        real: Bool[np.ndarray, "batch time"] | None = batch.get(mask_key(name))
        changed[name] = values if real is None else np.where(real[:, :, None], values, batch[name])
    return changed
