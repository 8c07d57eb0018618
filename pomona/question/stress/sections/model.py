"""The sections of a stress test, written from its tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.report import table as table_item
from pomona.foundation.report import write_section
from pomona.question.stress.population import Population
from pomona.question.stress.requirements import Verdict
from pomona.question.stress.sections.axes import axes_section, shown_axes
from pomona.question.stress.sections.disagreement import disagreement_section
from pomona.question.stress.sections.finding import finding_section
from pomona.question.stress.splits import Splits
from pomona.question.stress.statistics.finding import Finding
from pomona.question.stress.table import ScoreTable
from pomona.tasks.task import Task

CLAIMS = "Bounds on what was measured here: close to its bound, other examples may say otherwise."


def write_stress_sections(
    folder: Path,
    task: Task,
    *,
    splits: Splits,
    models: Population,
    table: ScoreTable,
    found: Sequence[Finding],
    verdicts: Sequence[Verdict],
    result: Mapping[str, Any],
) -> None:
    """Writes the sections on findings, models side by side, disagreement and requirements."""
    metric, clean = result["metric"], result["clean"]
    first = finding_section(found, clean, metric=metric, models=len(models.seeds), sentence=result["finding"])
    write_section(folder, 10, "stress", f"{task.name}: would another seed behave otherwise?", first)
    means = {name: values.mean(axis=1) for name, values in table.stresses.items()}
    side = axes_section(
        table.clean.mean(axis=1), means, found, models.seeds, greater_is_better=metric != "mae"
    )
    if side:
        write_section(folder, 20, "axes", "The models side by side", side)
    if verdicts:
        rows = [[one.requirement.text, one.value, one.num_examples, one.is_met] for one in verdicts]
        items = [table_item(["requirement", "value", ("examples", "integer"), "met"], rows, caption=CLAIMS)]
        write_section(folder, 30, "requirements", "Requirements", items)
    if found:
        name = shown_axes(found)[0].name
        answers: np.ndarray | None = table.answers[name]
        if answers is not None:
            items = disagreement_section(task, splits.stresses[name], answers, name)
            write_section(folder, 40, "disagreement", f"Where the models disagree: {name}", items)
