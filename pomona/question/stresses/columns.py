"""Where the columns of a user's table stand in a task's vectors, and what their numbers mean."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.tasks.preprocessing.numbers import CLIP
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.task import Task


@dataclass(frozen=True)
class Column:
    """One column of a table within a prepared vector."""

    input: str
    """The input whose vector holds it."""
    name: str
    kind: str
    """Of the step that prepared it: numbers, categories, dates, bag or vector."""
    places: tuple[int, ...]
    """Where in the vector its values stand."""
    missing: int | None = None
    """Where the vector says that the value is missing."""
    levels: tuple[str, ...] = ()
    """Of a category: the names of its places, in order."""
    center: float = 0.0
    scale: float = 1.0
    pivot: float = 0.0
    spread: float = 0.0
    """Above 0 for a number that is bent by asinh((value - pivot) / spread)."""

    def raw(self, values: Float[np.ndarray, " batch"]) -> Float[np.ndarray, " batch"]:
        """Numbers in the user's unit."""
        plain = values.astype(np.float64) * self.scale + self.center
        return np.sinh(plain) * self.spread + self.pivot if self.spread > 0 else plain

    def prepared(self, numbers: Float[np.ndarray, " batch"]) -> Float[np.ndarray, " batch"]:
        """What the task makes of numbers in the user's unit."""
        bent = np.arcsinh((numbers - self.pivot) / self.spread) if self.spread > 0 else numbers
        return np.clip((bent - self.center) / self.scale, -CLIP, CLIP).astype(np.float32)


def columns_of(task: Task) -> list[Column]:
    """The columns of all vector inputs, in order."""
    found, widths = [], {}
    for step in task.preprocessing.steps:
        if step.output not in task.inputs or task.inputs[step.output].kind != "vector":
            continue
        start = widths.get(step.output, 0)
        columns = list(_columns(step, start, task.inputs[step.output].shape[0]))
        found += columns
        used = [
            place for column in columns for place in (*column.places, column.missing) if place is not None
        ]
        widths[step.output] = max(used, default=start - 1) + 1
    return found


def _columns(step: Step, start: int, end: int) -> Iterator[Column]:
    settings, name = step.settings, step.columns[0]
    if step.kind == "numbers":
        indicated = {index: place for place, index in enumerate(settings["indicated"])}
        for index, column in enumerate(step.columns):
            missing = start + len(step.columns) + indicated[index] if index in indicated else None
            yield Column(
                step.output,
                column,
                "numbers",
                (start + index,),
                missing,
                center=settings["center"][index],
                scale=settings["scale"][index],
                pivot=settings["pivot"][index],
                spread=settings["spread"][index],
            )
    elif step.kind == "categories":
        levels = (*settings["levels"], *(("other",) if settings["other"] else ()))
        places = tuple(range(start, start + len(levels)))
        missing = start + len(levels) if settings["missing"] else None
        yield Column(step.output, name, "categories", places, missing, tuple(levels))
    elif step.kind == "dates":
        width = 1 + 2 * len(settings["cycles"])
        missing = start + width if settings["missing"] else None
        yield Column(step.output, name, "dates", tuple(range(start, start + width)), missing)
    elif step.kind == "bag":
        yield Column(step.output, name, "bag", tuple(range(start, start + len(settings["words"]))))
    else:
        mean, deviation = settings["mean"], settings["std"]
        for index in range(end - start):
            yield Column(
                step.output,
                f"{name}[{index}]",
                "numbers",
                (start + index,),
                center=float(mean[index]),
                scale=float(deviation[index]),
            )
