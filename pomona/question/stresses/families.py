"""The families of stresses: name → function of a task and a seed that gives splits by name."""

from collections.abc import Callable

from pomona.question.stresses.corruptions.family import corruptions
from pomona.tasks.source import Source
from pomona.tasks.task import Task

Family = Callable[[Task, int], dict[str, Source]]
"""Splits made from the test examples of a task; none where the family has nothing for its inputs."""

FAMILIES: dict[str, Family] = {
    "corruptions": corruptions,
}
