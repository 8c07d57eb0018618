"""Parallel axes: a line a thing, over several measurements side by side on one scale."""

from collections.abc import Iterator

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis, make_axis
from pomona.foundation.report.drawing.frame import figure, plot
from pomona.foundation.report.drawing.svg import element, hover, left_top, path, shorten, stretched
from pomona.foundation.report.formats import show
from pomona.foundation.report.items import Parallel

LONGEST_NAME = 16


def draw_parallel(item: Parallel) -> Markup:
    """The chart of a "parallel" item."""
    last = max(len(item.axes) - 1, 1)
    # every second name stands a row lower, where there is room for it
    labels = tuple("" if index % 2 else shorten(name, LONGEST_NAME) for index, name in enumerate(item.axes))
    places = tuple(float(index) for index in range(len(item.axes)))
    x_axis = Axis(0.0, float(last), places, labels)
    y_axis = make_axis((value for one in item.lines for value in one.values), reach_ticks=True)
    rules = [path([(x / last, 0.0), (x / last, 1.0)], {"class": "axis-rule"}) for x in places]
    ordered = sorted(range(len(item.lines)), key=lambda index: index == item.highlight)
    strokes = [_stroke(item, index, x_axis, y_axis) for index in ordered]
    marks = [stretched(*rules, *strokes), *_lower_names(item, x_axis), *_dots(item, x_axis, y_axis)]
    named = "" if item.highlight is None else f"; {item.lines[item.highlight].name} is drawn strongly"
    description = f"{len(item.lines)} lines of {item.y_label} over {', '.join(item.axes)}{named}"
    body = plot(marks, x_axis, y_axis, x_label="", y_label=item.y_label, description=description)
    legend = [] if item.highlight is None else [("s1", item.lines[item.highlight].name), ("s0", "the others")]
    return figure("parallel", body, caption=item.caption, legend=legend)


def _stroke(item: Parallel, index: int, x_axis: Axis, y_axis: Axis) -> Markup:
    values = item.lines[index].values
    known = [(x_axis.place(x), y_axis.place(y)) for x, y in enumerate(values) if y is not None]
    style = "s1 strong" if index == item.highlight else "s0 faint"
    return element("g", {"class": style}, path(known, {"class": "stroke"}))


def _lower_names(item: Parallel, x_axis: Axis) -> Iterator[Markup]:
    texts = []
    for index in range(1, len(item.axes), 2):
        place = {"x": left_top((x_axis.place(index), 0.0))[0], "y": "100%", "dy": 36}
        texts.append(element("text", {"class": "x", **place}, shorten(item.axes[index], LONGEST_NAME)))
    yield element("g", {"class": "ticks"}, *texts)


def _dots(item: Parallel, x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    for index, one in enumerate(item.lines):
        style = "s1" if index == item.highlight else "s0"
        for x, y in enumerate(one.values):
            if y is not None:
                left, top = left_top((x_axis.place(x), y_axis.place(y)))
                lines = [one.name, item.axes[x], f"{item.y_label}: {show(y)}"]
                place = {"class": f"rest {style}", "cx": left, "cy": top, "r": 5}
                yield element("circle", place, hover(lines))
