"""The sections that any fitted model has, written from what it predicts on test."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pomona.fit.assessment import Assessment
from pomona.fit.sections.calibration import calibration_section
from pomona.fit.sections.classes import classes_section
from pomona.fit.sections.data import data_section
from pomona.fit.sections.numbers import numbers_section
from pomona.fit.sections.worst import worst_section
from pomona.foundation.report import write_section

FIRST = 50
"""The order of the first section here: what is special to a verb goes before."""


def write_model_sections(folder: Path, assessment: Assessment, temperatures: Mapping[str, float]) -> None:
    """Writes the sections on classes, calibration, errors, worst examples and data into folder/sections."""
    task, order = assessment.task, FIRST
    for target in task.targets:
        of = f" of {target}" if len(task.targets) > 1 else ""
        for name, title, make in _sections_of(assessment, target, temperatures):
            order += 1
            write_section(folder, order, f"{name}-{order}", title + of, make())
    write_section(folder, 90, "worst", "Worst examples", worst_section(assessment))
    write_section(folder, 95, "data", "Data", data_section(task))


def _sections_of(
    assessment: Assessment, target: str, temperatures: Mapping[str, float]
) -> list[tuple[str, str, Callable[[], list[dict[str, Any]]]]]:
    kind, feature = assessment.task.kind, assessment.task.targets[target]
    said, true = assessment.predictions[target], assessment.truth[target]
    if kind in ("regress", "forecast"):
        return [("numbers", "Errors", lambda: numbers_section(assessment, target))]
    if kind != "classify":
        return []
    temperature = temperatures.get(target, 1.0)
    return [
        ("classes", "Classes", lambda: classes_section(said, true, feature.classes)),
        ("calibration", "Calibration", lambda: calibration_section(said, true, temperature=temperature)),
    ]
