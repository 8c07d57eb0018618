"""Heat maps and confusion matrices."""

import math

from markupsafe import Markup

from pomona.foundation.report.drawing.frame import CHARACTER_WIDTH, axis_name, figure
from pomona.foundation.report.drawing.svg import element, hover, percent, shorten
from pomona.foundation.report.formats import MISSING, common_decimals, show
from pomona.foundation.report.items import Matrix

MAX_LABEL = 18  # characters
MAX_LABELS = 26  # beyond, only every so many rows and columns are named
MAX_NUMBERED = 16  # columns with a number in each cell
MIN_COLUMN_PX = 58  # room for such a number


def draw_matrix(item: Matrix) -> Markup:
    """The drawing of a "matrix" item.

    Equal names on both sides make a confusion matrix: cells are shaded by their share of the row, and those
    off the diagonal, the errors, by their share of the worst error, in another colour.
    """
    num_rows, num_columns = len(item.rows), len(item.columns)
    cell_px = _cell_px(max(num_rows, num_columns))
    left = 16 + CHARACTER_WIDTH * min(max(map(len, item.rows), default=0), MAX_LABEL)
    longest = min(max(map(len, item.columns), default=0), MAX_LABEL) * CHARACTER_WIDTH
    column_px = max(1.5 * cell_px, MIN_COLUMN_PX if num_columns <= MAX_NUMBERED else 0)
    is_turned = longest > 0.5 * column_px
    bottom = 44 + (0.64 * longest if is_turned else 12)
    label = {"role": "img", "aria-label": _description(item)}
    svg = element(
        "svg",
        {**label, "class": "plot", "width": "100%", "height": num_rows * cell_px},
        *_cells(item),
        element("g", {"class": "ticks"}, *_row_names(item)),
        element("g", _column_style(num_columns, is_turned), *_column_names(item, is_turned)),
        axis_name(item.y_label, {"x": f"{-left:.0f}", "y": -14}),
        axis_name(item.x_label, {"x": "100%", "y": "100%", "dy": f"{bottom - 10:.0f}"}, at_end=True),
    )
    size = f"--left:{left:.0f}px;--bottom:{bottom:.0f}px;max-width:{left + num_columns * column_px:.0f}px"
    return figure("matrix", element("div", {"class": "frame", "style": size}, svg), caption=item.caption)


def _cell_px(num_lines: int) -> int:
    return next(
        size for limit, size in ((12, 38), (16, 30), (30, 20), (60, 11), (10**9, 5)) if num_lines <= limit
    )


def _description(item: Matrix) -> str:
    kind = "Confusion matrix" if _is_confusion(item) else "Heat map"
    return f"{kind} of {len(item.rows)} rows ({item.y_label}) by {len(item.columns)} columns ({item.x_label})"


def _cells(item: Matrix) -> list[Markup]:
    num_rows, num_columns = len(item.rows), len(item.columns)
    is_numbered = num_columns <= MAX_NUMBERED
    shades, decimals = _shades(item), _cell_decimals(item)
    gap = 1.5 if is_numbered else 0.5 if num_columns <= 60 else 0
    size = {"width": percent(1 / num_columns), "height": percent(1 / num_rows), "stroke-width": gap}
    cells = [element("rect", {"class": "cells", "width": "100%", "height": "100%"})]
    for i, row in enumerate(item.values):
        for j, value in enumerate(row):
            style, shade = shades[i][j]
            # most cells of a large confusion matrix are empty
            if not value and not is_numbered:
                continue
            place = {"x": percent(j / num_columns), "y": percent(i / num_rows)}
            shape = {"class": f"cell {style}", **place, **size, "fill-opacity": f"{shade:.3f}"}
            cells.append(element("rect", shape, hover(_title(item, i, j))))
            if is_numbered and (value or not _is_confusion(item)):
                middle = {"x": percent((j + 0.5) / num_columns), "y": percent((i + 0.5) / num_rows)}
                weight = {"class": f"cell-text {'strong' if shade > 0.55 else 'light'}", "dy": "0.35em"}
                cells.append(
                    element("text", {**middle, **weight}, show(value, item.format, decimals=decimals))
                )
    return cells


def _cell_decimals(item: Matrix) -> int | None:
    decimals = common_decimals((value for row in item.values for value in row), item.format)
    # three significant digits are what a cell has room for
    return (
        decimals
        if decimals is None
        else min(decimals, 1)
        if item.format == "percent"
        else max(decimals - 1, 0)
    )


def _is_confusion(item: Matrix) -> bool:
    return item.rows == item.columns and all((value or 0) >= 0 for row in item.values for value in row)


def _shades(item: Matrix) -> list[list[tuple[str, float]]]:
    if not _is_confusion(item):
        largest = (
            max((abs(value) for row in item.values for value in row if value is not None), default=0) or 1
        )
        return [
            [("cool" if (v or 0) >= 0 else "warm", abs(v or 0) / largest) for v in row] for row in item.values
        ]
    totals = [math.fsum(value or 0 for value in row) or 1 for row in item.values]
    shares = [[(value or 0) / total for value in row] for row, total in zip(item.values, totals, strict=True)]
    errors = [share for i, row in enumerate(shares) for j, share in enumerate(row) if i != j]
    # an error of a hundredth should not glow because there is no worse one
    worst = max(max(errors, default=0), 0.1)
    return [
        [("cool", 0.85 * share) if i == j else ("warm", share / worst) for j, share in enumerate(row)]
        for i, row in enumerate(shares)
    ]


def _title(item: Matrix, i: int, j: int) -> list[str]:
    value = item.values[i][j]
    lines = [
        f"{item.y_label}: {item.rows[i]}",
        f"{item.x_label}: {item.columns[j]}",
        show(value, item.format),
    ]
    total = math.fsum(value or 0 for value in item.values[i])
    if _is_confusion(item) and value is not None and total > 0:
        lines[-1] += f" ({show(value / total, 'percent', decimals=1)} of the row)"
    return lines if value is not None else [*lines[:2], MISSING]


def _row_names(item: Matrix) -> list[Markup]:
    every = math.ceil(len(item.rows) / MAX_LABELS)
    return [
        element(
            "text",
            {"class": "y", "x": 0, "y": percent((i + 0.5) / len(item.rows)), "dx": -8, "dy": "0.35em"},
            shorten(name, MAX_LABEL),
        )
        for i, name in enumerate(item.rows)
        if i % every == 0
    ]


def _column_style(num_columns: int, is_turned: bool) -> dict[str, str]:
    # turned names of many columns lie on each other where the screen is narrow; there they are left out
    return {"class": "ticks crowded" if is_turned and num_columns > MAX_NUMBERED else "ticks"}


def _column_names(item: Matrix, is_turned: bool) -> list[Markup]:
    every = math.ceil(len(item.columns) / MAX_LABELS)
    texts = []
    for j, name in enumerate(item.columns):
        if j % every:
            continue
        place = {"x": percent((j + 0.5) / len(item.columns)), "y": "100%"}
        turn = (
            {"class": "y", "transform": "translate(4 14) rotate(-40)"}
            if is_turned
            else {"class": "x", "dy": 18}
        )
        # an svg of its own moves the origin to a percentage, about which the text can turn
        text = element("text", turn, shorten(name, MAX_LABEL))
        texts.append(element("svg", {**place, "overflow": "visible"}, text))
    return texts
