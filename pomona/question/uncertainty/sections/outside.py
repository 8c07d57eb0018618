"""Whether it notices what is none of its business."""

from collections.abc import Mapping
from typing import Any

from pomona.foundation.report import table


def outside_section(beyond: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items of the section: a table for each kind of outside examples, a row a method and score."""
    items = []
    for source, methods in beyond.items():
        rows = [
            [method, score, one["auroc"], one["aupr"], one["fpr95"]]
            for method, scores in methods.items()
            for score, one in scores.items()
        ]
        columns = [
            "method",
            "score",
            ("AUROC", "percent"),
            ("AUPR", "percent"),
            ("false alarms at 95 %", "percent"),
        ]
        caption = (
            f"Test examples against {source}. AUROC is the chance that one from outside scores higher; 50 % "
            "is guessing. The last column is the share of test examples that are flagged when 95 % of those "
            "from outside are."
        )
        rows.sort(key=lambda row: -row[2])
        items.append(table(columns, rows, caption=caption))
    return items
