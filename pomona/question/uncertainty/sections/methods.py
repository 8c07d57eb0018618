"""What each method is, and with which settings it ran."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.foundation.report import table
from pomona.question.uncertainty.cell import Cell
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.tuning import SHARED


def methods_section(cells: Mapping[str, Sequence[Cell]]) -> list[dict[str, Any]]:
    """The items of the section: a row a method."""
    rows = []
    for name, own in cells.items():
        settings = own[0]["settings"]
        chosen = {
            **{key: settings["fit"][key] for key in SHARED},
            **METHODS[name].defaults,
            **settings["own"],
        }
        said = ", ".join(f"{key} {_short(value)}" for key, value in chosen.items())
        rows.append([name, METHODS[name].about, said, METHODS[name].source])
    return [table(["method", "what it does", "settings", "source"], rows)]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
