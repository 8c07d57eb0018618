"""How training went."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.fit.sections.scores import score_format
from pomona.foundation.report import line, series


def training_section(history: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, Any]]:
    """The items of the section: training loss and the validation score against steps."""
    items = []
    losses = [(entry["step"], entry["loss"]) for entry in history if entry.get("loss") is not None]
    scores = [
        (entry["step"], entry["valid"][metric]) for entry in history if metric in entry.get("valid", {})
    ]
    for points, name in ((losses, "training loss"), (scores, f"validation {metric}")):
        if points:
            form = score_format(metric) if points is scores else "number"
            items.append(line([series(name, *zip(*points, strict=True))], "step", name, y_format=form))
    return items
