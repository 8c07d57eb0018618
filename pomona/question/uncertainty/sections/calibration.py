"""Whether chances and quantiles are as good as their word."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.foundation.report import line, series
from pomona.question.uncertainty.cell import Cell

MOST_LINES = 6
"""More lines than this cannot be told apart."""


def reliability_section(cells: Mapping[str, Sequence[Cell]], best: str | None) -> list[dict[str, Any]]:
    """The items of the section: accuracy against confidence, in bins of equally many examples."""
    lines = [series("perfect", [0.0, 1.0], [0.0, 1.0])]
    for name in shown(cells, best):
        curve = cells[name][0]["curves"].get("reliability")
        if curve:
            band = {"low": curve["low"], "high": curve["high"]} if name == best else {}
            lines.append(series(name, curve["confidence"], curve["accuracy"], **band))
    if len(lines) == 1:
        return []
    caption = "Test examples of the first seed, in bins of equally many. Below the diagonal it is too sure."
    return [line(lines, "confidence", "right", y_format="percent", caption=caption)]


def levels_section(cells: Mapping[str, Sequence[Cell]], best: str | None) -> list[dict[str, Any]]:
    """The items of the section: the share of truths below each quantile against its level."""
    lines = [series("perfect", [0.0, 1.0], [0.0, 1.0])]
    for name in shown(cells, best):
        curve = cells[name][0]["curves"].get("levels")
        if curve:
            lines.append(series(name, curve["level"], curve["share"]))
    if len(lines) == 1:
        return []
    caption = "Share of test values below the quantile of each level, first seed."
    return [line(lines, "level", "share below", y_format="percent", caption=caption)]


def shown(cells: Mapping[str, Sequence[Cell]], best: str | None) -> list[str]:
    """The methods to draw: the plain one, the best one, then those with the lowest nll on validation data."""
    ranked = sorted(cells, key=lambda name: cells[name][0]["valid"].get("nll", float("inf")))
    first = [name for name in ("deterministic", best) if name is not None and name in cells]
    # methods that only add sets say the same as the network under them
    unlike = {
        str(cells[name][0]["values"].get("nll")): name for name in [*reversed(ranked), *reversed(first)]
    }
    return [name for name in dict.fromkeys([*first, *ranked]) if name in unlike.values()][:MOST_LINES]
