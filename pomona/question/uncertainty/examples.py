"""What every method of a comparison is asked: the same examples for all methods and seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

from pomona.fit.feeds import held_out
from pomona.question.uncertainty.outside import outside
from pomona.question.uncertainty.parts import check_task, with_calibration
from pomona.question.uncertainty.shifted import shifted
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Examples:
    """A task in parts, and what is beside it."""

    task: Task
    """With a split for calibration; without the class that is left out."""
    valid: FiniteSource
    test: FiniteSource
    outside: Mapping[str, FiniteSource]
    shifted: Mapping[str, FiniteSource]


def examples_of(task: Task, *, leave_out: str | None = None) -> Examples:
    """The examples for a task. Raises InputError for one that cannot be asked."""
    check_task(task)
    parted, beyond = outside(task, leave_out)
    parted = with_calibration(parted)
    held = {name: held_out(parted.splits[name], name=name, seed=0) for name in ("valid", "test")}
    return Examples(parted, held["valid"], held["test"], beyond, shifted(parted))
