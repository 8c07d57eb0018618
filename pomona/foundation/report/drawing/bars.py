"""Bar charts: a row a value, its name before and its number behind; narrow screens have room for that."""

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis, make_axis
from pomona.foundation.report.drawing.frame import figure
from pomona.foundation.report.drawing.svg import element, hover, percent
from pomona.foundation.report.formats import common_decimals, show
from pomona.foundation.report.items import Bar, Bars


def draw_bars(item: Bars) -> Markup:
    """The chart of a "bars" item; bars start at zero."""
    ends = [end for bar in item.values for end in (bar.value, bar.low, bar.high)]
    axis = make_axis([0.0, *ends])
    decimals = common_decimals((bar.value for bar in item.values), item.format)
    rows = [cell for bar in item.values for cell in _row(item, bar, axis, decimals)]
    title = element("p", {"class": "axis-title"}, item.y_label)
    return figure("bars", title + element("div", {"class": "bar-rows"}, *rows), caption=item.caption)


def _row(item: Bars, bar: Bar, axis: Axis, decimals: int | None) -> list[Markup]:
    text = show(bar.value, item.format, decimals=decimals)
    lines = [bar.name, f"{item.y_label}: {text}"]
    if bar.low is not None and bar.high is not None:
        low, high = (show(end, item.format, decimals=decimals) for end in (bar.low, bar.high))
        lines.append(f"{low} to {high}")
    label = {"role": "img", "aria-label": ", ".join(lines), "width": "100%", "height": 22}
    marks = [] if bar.value is None else _marks(bar, bar.value, axis)
    return [
        element("span", {"class": "bar-name", "title": bar.name}, bar.name),
        element("svg", {"class": "bar-track", **label}, hover(lines), *marks),
        element("span", {"class": "bar-value"}, text),
    ]


def _marks(bar: Bar, value: float, axis: Axis) -> list[Markup]:
    zero, end = axis.place(0.0), axis.place(value)
    rect = {"x": percent(min(zero, end)), "width": percent(abs(end - zero)), "y": 4, "height": 14, "rx": 3}
    marks = [element("rect", {"class": "bar" if value >= 0 else "bar negative", **rect})]
    if axis.low < 0:
        marks.append(
            element("line", {"class": "zero", "x1": percent(zero), "x2": percent(zero), "y1": 0, "y2": 22})
        )
    if bar.low is not None and bar.high is not None:
        left, right = percent(axis.place(bar.low)), percent(axis.place(bar.high))
        for x1, x2, y1, y2 in ((left, right, 11, 11), (left, left, 7, 15), (right, right, 7, 15)):
            marks.append(element("line", {"class": "whisker", "x1": x1, "x2": x2, "y1": y1, "y2": y2}))
    return marks
