"""What a better answer costs."""

from collections.abc import Mapping
from typing import Any

from pomona.foundation.report import scatter, table


def cost_section(kind: str, rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items of the section: nll against time an answer, and the table of costs."""
    points = [
        (row["seconds_per_1000"], row["nll"], name)
        for name, row in rows.items()
        if row.get("nll") is not None
    ]
    front = [name for cost, loss, name in points if not any(c <= cost and v < loss for c, v, _ in points)]
    front.sort(key=lambda name: rows[name]["seconds_per_1000"])
    columns = [
        "method",
        ("parameters", "integer"),
        ("operations an answer", "integer"),
        ("steps", "integer"),
        ("fit", "number", "s"),
        ("1000 answers", "number", "s"),
    ]
    names = ("parameters", "flops", "steps", "fit_seconds", "seconds_per_1000")
    body = [[name, *(row[one] for one in names)] for name, row in rows.items()]
    caption = "Measured in torch on the machine of this run, examples by the 256."
    items = [table(columns, body, caption=caption)]
    if len(points) < 2:
        return items
    chart = scatter(
        points,
        "seconds for 1000 answers",
        "nll",
        front=front,
        x_log=True,
        caption="The line joins the methods that no cheaper one beats.",
    )
    return [chart, *items]
