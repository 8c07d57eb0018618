"""The models side by side: the article's plot, in units of the clean standard deviation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.foundation.report import parallel, scatter
from pomona.question.stress.statistics.finding import Finding

MOST_AXES = 9
CAPTION = (
    "A line is a model; the first axis is the clean test, the others are stresses, one of a kind, those with "
    "the smallest p. Up is better than the mean of all models; the unit is the deviation of the clean score "
    "over models. Where lines fan out more than on the first axis, models differ there that the clean test "
    "calls alike; where they cross, it does not tell which. The luck of the examples is in all axes."
)


def axes_section(
    clean: Float[np.ndarray, " member"],
    means: Mapping[str, Float[np.ndarray, " member"]],
    found: Sequence[Finding],
    seeds: Sequence[int],
    *,
    greater_is_better: bool,
) -> list[dict[str, Any]]:
    """The items of the section; none where all models have one clean score, which is no unit."""
    deviation = float(np.std(clean, ddof=1))
    if not deviation > 0 or not found:
        return []
    shown = shown_axes(found)
    columns = [clean, *(means[one.name] for one in shown)]
    sign = 1 if greater_is_better else -1
    scaled = [sign * (column - column.mean()) / deviation for column in columns]
    lines = {f"seed {seed}": [float(column[m]) for column in scaled] for m, seed in enumerate(seeds)}
    best = int(np.argmax(scaled[0]))
    plot = parallel(
        ["clean", *(one.name for one in shown)],
        lines,
        "clean deviations from the mean",
        highlight=best,
        caption=CAPTION + f" Drawn strongly: seed {seeds[best]}, the best on the clean test.",
    )
    first = shown[0].name
    points = [(float(x), float(y), f"seed {s}") for x, y, s in zip(clean, means[first], seeds, strict=True)]
    return [plot, scatter(points, "clean score", f"score on {first}")]


def shown_axes(found: Sequence[Finding]) -> list[Finding]:
    """At most MOST_AXES stresses, of each kind the one with the smallest p; ties by the larger spread."""
    ordered = sorted(found, key=lambda one: (one.p_adjusted, one.p, -one.seed_sd))
    kinds: dict[str, Finding] = {}
    for one in ordered:
        kinds.setdefault(kind_of(one.name), one)
    return list(kinds.values())[:MOST_AXES]


def kind_of(name: str) -> str:
    """The stress without its severity or group.

    >>> kind_of("fog-3"), kind_of("typos-heavy"), kind_of("digit=8"), kind_of("pair-names")
    ('fog', 'typos', 'digit', 'pair-names')
    """
    column, equals, _ = name.partition("=")
    if equals:
        return column
    start, _, end = name.rpartition("-")
    return start if start and (end.isdigit() or end in ("light", "medium", "heavy")) else name
