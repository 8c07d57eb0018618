"""Cells of several seeds as one row a method: means, and how sure they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.foundation.randomness import stream
from pomona.foundation.statistics import paired_bootstrap_interval, t_interval
from pomona.question.uncertainty.cell import Cell

PLAIN = "deterministic"
"""The method that all others are held against."""


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


def against(cells: Sequence[Cell], plain: Sequence[Cell], *, seed: int) -> dict[str, Any]:
    """How much less nll than the plain network on test data, means over seeds, and its 95 % interval.

    The interval is over examples, on which both are paired; it does not cover the luck of the seeds. Empty
    for the plain network itself, and where either has no nll.
    """
    if not plain or cells is plain or not cells[0]["losses"] or not plain[0]["losses"]:
        return {}
    own, theirs = (np.mean([one["losses"] for one in part], axis=0) for part in (cells, plain))
    interval = paired_bootstrap_interval(
        theirs, own, generator=stream(seed, "against the plain network"), method="percentile"
    )
    gain = float(np.mean(theirs - own))
    return {"nll_gain": gain, "nll_gain_interval": [interval.low, interval.high]}


def best_method(rows: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The method with the lowest nll on validation examples; None where none has it.

    An artifact as it is has used these examples for other things, and does not take part.
    """
    fair = {name: row for name, row in rows.items() if row["steps"]}
    scored = {name: row["valid"]["nll"] for name, row in fair.items() if "nll" in row["valid"]}
    return min(scored, key=lambda name: scored[name]) if scored else None


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
    # a density can be above 1, so that its nll is below 0; nothing else that is measured ever is
    is_density = name == "nll" and "accuracy" not in cells[0]["values"]
    return [found.low if is_density else max(found.low, 0.0), found.high]
