"""Cells of several seeds as one row a method: means, and how sure they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.foundation.statistics import t_interval
from pomona.question.uncertainty.cell import Cell


def summary(cells: Sequence[Cell]) -> dict[str, Any]:
    """The row of a method: every measure's mean over seeds and, as NAME_interval, its 95 % interval.

    Of one seed the interval is over test examples and there for some measures only, from two on it is
    Student's over seeds. A measure that some seed lacks is absent.
    """
    row: dict[str, Any] = {}
    for name in shared([one["values"] for one in cells]):
        values = [one["values"][name] for one in cells]
        row[name] = float(np.mean(values))
        interval = _interval(name, values, cells)
        if interval is not None:
            row[f"{name}_interval"] = interval
    for name in cells[0]["cost"]:
        row[name] = float(np.mean([one["cost"][name] for one in cells]))
    if all(one["shifted"] for one in cells):
        means = [one["shifted"]["mean"] for one in cells]
        row["shifted"] = {name: float(np.mean([mean[name] for mean in means])) for name in shared(means)}
    row["valid"] = {
        name: float(np.mean([one["valid"][name] for one in cells]))
        for name in shared([one["valid"] for one in cells])
    }
    row["seeds"] = len(cells)
    row["settings"] = cells[0]["settings"]["own"]
    return row


def outside_summary(rows: Mapping[str, Sequence[Cell]]) -> dict[str, Any]:
    """Outside examples → method → score → auroc, aupr and fpr95, means over seeds."""
    found: dict[str, Any] = {}
    for method, cells in rows.items():
        for source in shared([one["outside"] for one in cells]):
            scores = [one["outside"][source] for one in cells]
            found.setdefault(source, {})[method] = {
                score: {
                    name: float(np.mean([one[score][name] for one in scores])) for name in scores[0][score]
                }
                for score in shared(scores)
            }
    return found


def shared(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that all have, in the order of the first."""
    return [name for name in parts[0] if all(name in part for part in parts)]


def _interval(name: str, values: Sequence[float], cells: Sequence[Cell]) -> list[float] | None:
    if len(values) == 1:
        return cells[0]["intervals"].get(name)
    found = t_interval(values)
    return [found.low, found.high]
