"""The curves of both worlds with their bands, and what they say."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pomona.foundation.report import line, number, numbers, series, table, text
from pomona.question.bootstrap.gap import Band, Gap
from pomona.question.bootstrap.reading import gap_sentences, verdict
from pomona.tasks.task import Task

EXPLAINED = (
    "The real world has a number of examples and uses them again and again, as training usually does. The "
    "ideal world never shows an example twice. Both take the same steps with the same code, and begin with "
    "the same weights. The soft error is 1 minus the probability of the true class, on fresh examples. A gap "
    "counts up to where the real world's train error is 1 %; bands are 95 % intervals of the "
    "mean over seeds."
)


def worlds_section(gaps: Mapping[int, Gap], world: Task) -> list[dict[str, Any]]:
    """The items of the section."""
    figures = [
        number(
            f"gap with {size} examples",
            gap.gap.mean[gap.end],
            format="number",
            interval=(gap.gap.low[gap.end], gap.gap.high[gap.end]),
            note=f"at step {gap.end_step}, {verdict(gap)}",
        )
        for size, gap in gaps.items()
    ]
    said = "\n\n".join(f"{' '.join(gap_sentences(gap))}" for gap in gaps.values())
    return [
        numbers(*figures),
        text(said),
        *_charts(gaps),
        _table(gaps),
        text(f"The task: {world.about}. {EXPLAINED}"),
        *_notes(world),
    ]


def _notes(world: Task) -> list[dict[str, Any]]:
    """What its maker says of the world."""
    return [text("\n\n".join(f"Note: {note}." for note in world.notes))] if world.notes else []


def _charts(gaps: Mapping[int, Gap]) -> list[dict[str, Any]]:
    anyone = next(iter(gaps.values()))
    steps = anyone.steps
    # sizes come first everywhere, so that each has one colour
    soft = [_series(f"{size} examples", steps, gap.real) for size, gap in gaps.items()]
    soft.append(_series("ideal world", steps, anyone.ideal))
    train = [_series(f"{size} examples", steps, gap.train_error) for size, gap in gaps.items()]
    apart = [_series(f"{size} examples", steps, gap.gap, gap.end) for size, gap in gaps.items()]
    looks: dict[str, Any] = {"x_log": True, "y_format": "number"}
    return [
        line(soft, "step", "soft test error", caption="Soft test error in both worlds.", **looks),
        line(
            apart,
            "step",
            "bootstrap gap",
            caption="Real minus ideal soft error, until the train error is 1 %.",
            **looks,
        ),
        line(train, "step", "train error", caption="How fast the real world fits its examples.", **looks),
    ]


def _series(name: str, steps: np.ndarray, band: Band, end: int | None = None) -> dict[str, Any]:
    """A curve with its band; nothing after the index `end`."""
    shown = slice(None) if end is None else slice(end + 1)
    ends = {"low": band.low[shown].tolist(), "high": band.high[shown].tolist()}
    return series(name, steps[shown].tolist(), band.mean[shown].tolist(), **ends)


def _table(gaps: Mapping[int, Gap]) -> dict[str, Any]:
    columns = [
        ("examples", "integer"),
        ("steps", "integer"),
        ("train error", "number"),
        ("soft error, real", "number"),
        ("soft error, ideal", "number"),
        ("gap", "number"),
        ("lowest", "number"),
        ("highest", "number"),
        ("largest so far", "number"),
    ]
    rows = [
        [
            size,
            gap.end_step,
            gap.train_error.mean[gap.end],
            gap.real.mean[gap.end],
            gap.ideal.mean[gap.end],
            gap.gap.mean[gap.end],
            gap.gap.low[gap.end],
            gap.gap.high[gap.end],
            gap.largest,
        ]
        for size, gap in gaps.items()
    ]
    return table(columns, rows, caption="Where the gap is read; the interval is of 95 % over seeds.")
