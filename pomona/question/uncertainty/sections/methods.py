"""What each method is, and with which settings it ran."""

from typing import Any

from pomona.foundation.report import table
from pomona.question.uncertainty.as_it_is import NAME
from pomona.question.uncertainty.cells import Cells
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.tuning import SHARED


def methods_section(cells: Cells) -> list[dict[str, Any]]:
    """The items of the section: a row a method."""
    rows = []
    for name, own in cells.found.items():
        if name == NAME:
            rows.append([name, "The artifact's own predictions.", "", ""])
            continue
        settings = own[0]["settings"]
        chosen = {
            **{key: settings["fit"][key] for key in SHARED},
            **METHODS[name].defaults,
            **settings["own"],
        }
        said = ", ".join(f"{key} {_short(value)}" for key, value in chosen.items())
        rows.append([name, METHODS[name].about, said, METHODS[name].source])
    items = [table(["method", "what it does", "settings", "source"], rows)]
    if cells.refused:
        items.append(table(["method", "why it is not here"], list(map(list, cells.refused.items()))))
    return items


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
