"""The families of stresses: name → function of a task and a seed that gives splits by name."""

from collections.abc import Callable

from pomona.question.stresses.audio import audio
from pomona.question.stresses.contrastive import contrastive
from pomona.question.stresses.corruptions.family import corruptions
from pomona.question.stresses.series import series
from pomona.question.stresses.shifted import shifted
from pomona.question.stresses.stratified import stratified
from pomona.question.stresses.table import table
from pomona.question.stresses.text import text
from pomona.tasks.source import Source
from pomona.tasks.task import Task

Family = Callable[[Task, int], dict[str, Source]]
"""Splits made from the test examples of a task; none where the family has nothing for its inputs."""

FAMILIES: dict[str, Family] = {
    "corruptions": corruptions,
    "audio": audio,
    "table": table,
    "text": text,
    "series": series,
    "stratified": stratified,
    "shifted": shifted,
    "contrastive": contrastive,
}
