"""All sections on how sure a network is, written into a run's folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.report import write_section
from pomona.question.uncertainty.cells import Cells
from pomona.question.uncertainty.examples import Examples
from pomona.question.uncertainty.sections.calibration import levels_section, reliability_section
from pomona.question.uncertainty.sections.cost import cost_section
from pomona.question.uncertainty.sections.methods import methods_section
from pomona.question.uncertainty.sections.outside import outside_section
from pomona.question.uncertainty.sections.scores import scores_section
from pomona.question.uncertainty.sections.selective import selective_section
from pomona.question.uncertainty.sections.shifted import shifted_section

Rows = Mapping[str, Mapping[str, Any]]


def write_uncertainty_sections(
    folder: Path,
    examples: Examples,
    cells: Cells,
    rows: Rows,
    beyond: Mapping[str, Any],
    best: str | None,
    *,
    first: int = 10,
) -> None:
    """Writes those sections that have something to show; `first` is the order of the first one."""
    task, found = examples.task, cells.found
    sections = [
        ("uncertainty", f"{task.name}: how sure is it?", scores_section(task.kind, rows, best)),
        ("reliability", "As sure as it is right?", reliability_section(found, best)),
        ("levels", "Are its quantiles met?", levels_section(found, best)),
        ("selective", "When it may pass", selective_section(found, best)),
        ("outside", "What is none of its business", outside_section(beyond)),
        ("shifted", "Later, under stress", shifted_section(task.kind, found, rows)),
        ("cost", "What it costs", cost_section(task.kind, rows)),
        ("methods", "The methods", methods_section(cells)),
    ]
    for place, (name, title, items) in enumerate(sections):
        if items:
            write_section(folder, first + place, name, title, items)
