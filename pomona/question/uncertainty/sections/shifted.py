"""How well it still knows what it knows when examples change."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.foundation.report import line, series, table
from pomona.question.uncertainty.cell import Cell
from pomona.question.uncertainty.sections.calibration import MOST_LINES
from pomona.question.uncertainty.sections.scores import form_of

SHOWN = {
    "classify": ("nll", "accuracy", "ece", "brier", "aurc"),
    "regress": ("nll", "crps", "rmse", "coverage"),
}


def shifted_section(
    kind: str, cells: Mapping[str, Sequence[Cell]], rows: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The items of the section: means over all stresses, nll by severity, and nll by stress and method."""
    shifted = {name: row["shifted"] for name, row in rows.items() if "shifted" in row}
    if not shifted:
        return []
    names = [name for name in SHOWN[kind] if any(name in row for row in shifted.values())]
    columns = ["method", *((name, form_of(name)) for name in names)]
    ordered = sorted(shifted, key=lambda method: shifted[method].get("nll", float("inf")))
    caption = "A few test examples of every stress, all together."
    body = [[method, *(shifted[method].get(name) for name in names)] for method in ordered]
    return [table(columns, body, caption=caption), *_by_severity(cells, ordered), *_by_stress(cells, ordered)]


def _by_severity(cells: Mapping[str, Sequence[Cell]], ordered: Sequence[str]) -> list[dict[str, Any]]:
    lines = []
    for method in ordered[:MOST_LINES]:
        severities = _means(cells[method], "severity")
        if len(severities) > 1:
            places = [float(place) for place in range(1, len(severities) + 1)]
            lines.append(series(method, places, list(severities.values())))
    return [line(lines, "severity, mildest first", "nll")] if lines else []


def _by_stress(cells: Mapping[str, Sequence[Cell]], ordered: Sequence[str]) -> list[dict[str, Any]]:
    found = {method: _means(cells[method], "stress") for method in ordered}
    stresses = list(dict.fromkeys(stress for means in found.values() for stress in means))
    if not stresses:
        return []
    columns = ["stress", *((method, "number") for method in ordered[:MOST_LINES])]
    rows = [[stress, *(found[method].get(stress) for method in ordered[:MOST_LINES])] for stress in stresses]
    return [table(columns, rows, caption="nll by stress.")]


def _means(cells: Sequence[Cell], part: str) -> dict[str, float]:
    """The mean over seeds of nll for each group of stresses."""
    groups = cells[0]["shifted"].get(part, {})
    return {
        name: float(np.mean([cell["shifted"][part][name]["nll"] for cell in cells]))
        for name in groups
        if all("nll" in cell["shifted"][part][name] for cell in cells)
    }
