"""What accuracy becomes where the least sure examples are left to others."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.foundation.report import line, series
from pomona.question.uncertainty.cell import Cell
from pomona.question.uncertainty.sections.calibration import shown


def selective_section(cells: Mapping[str, Sequence[Cell]], best: str | None) -> list[dict[str, Any]]:
    """The items of the section: accuracy against the share of examples that are answered."""
    lines = [
        series(name, curve["answered"], curve["accuracy"])
        for name in shown(cells, best)
        if (curve := cells[name][0]["curves"].get("selective"))
    ]
    if not lines:
        return []
    caption = "Accuracy on the surest share of test examples, first seed: how much to leave to a person."
    return [line(lines, "share answered", "accuracy", y_format="percent", caption=caption)]
