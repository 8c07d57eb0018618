"""What changes of the pipeline do in both worlds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pomona.foundation.report import line, series, table, text
from pomona.question.bootstrap.comparison import Change, Comparison
from pomona.question.bootstrap.curves import Curves
from pomona.question.bootstrap.gap import band
from pomona.question.bootstrap.reading import comparison_sentence

EXPLAINED = (
    "A good change lets the ideal world learn faster (speed), or lets the real world take longer to fit its "
    "own examples (time). Together with the change of the gap these two are the whole change of the real "
    "world's soft error, read where the train error is 1 %; negative is better."
)


def axes_section(
    curves: Mapping[str, Curves], compared: Mapping[str, Mapping[int, Comparison]]
) -> list[dict[str, Any]]:
    """The items of the section; `curves` are by the name of the pipeline, that as asked for comes first."""
    sizes = list(next(iter(curves.values())).real)
    items = [text(EXPLAINED), _ideal_chart(curves)]
    for size in sizes:
        said = [comparison_sentence(name, by_size[size]) for name, by_size in compared.items()]
        items += [_train_chart(curves, size), _table(compared, size), text("\n\n".join(said))]
    return items


def _ideal_chart(curves: Mapping[str, Curves]) -> dict[str, Any]:
    lines = [_series(name, one.steps, one.ideal) for name, one in curves.items()]
    caption = "How fast each pipeline learns from fresh examples: the faster it falls, the better."
    return _chart(lines, "soft test error, ideal world", caption)


def _train_chart(curves: Mapping[str, Curves], size: int) -> dict[str, Any]:
    lines = [_series(name, one.steps, one.train_error[size]) for name, one in curves.items()]
    caption = f"How fast each pipeline fits {size} examples of its own: the slower it falls, the better."
    return _chart(lines, "train error, real world", caption)


def _chart(lines: list[dict[str, Any]], label: str, caption: str) -> dict[str, Any]:
    return line(lines, "step", label, x_log=True, y_format="number", caption=caption)


def _series(name: str, steps: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    found = band(values[np.isfinite(values).all(1)])
    return series(name, steps.tolist(), found.mean.tolist(), low=found.low.tolist(), high=found.high.tolist())


def _table(compared: Mapping[str, Mapping[int, Comparison]], size: int) -> dict[str, Any]:
    columns = ["change", ("read at step", "integer"), "real world", "speed", "time", "gap"]
    rows = [
        [name, one.new_step, *(_cell(change) for change in (one.real, one.speed, one.time, one.gap))]
        for name, one in ((name, by_size[size]) for name, by_size in compared.items())
    ]
    caption = (
        f"Change of the real world's soft error with {size} examples, and its parts, with 95 % intervals."
    )
    return table(columns, rows, caption=caption)


def _cell(change: Change) -> str:
    return f"{change.mean:+.3f} ({change.interval.low:+.3f} … {change.interval.high:+.3f})"
