"""Line charts, with bands and steps."""

from collections.abc import Iterator

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis, make_axis
from pomona.foundation.report.drawing.frame import colour, figure, plot
from pomona.foundation.report.drawing.svg import Place, element, hover, left_top, path, stretched
from pomona.foundation.report.formats import show
from pomona.foundation.report.items import Line, Series

# above this many points a line has no dots, only places to rest the pointer on
MAX_DOTS = 40
MAX_HOVERS = 150


def draw_line(item: Line) -> Markup:
    """The chart of a "line" item."""
    x_axis = make_axis((x for series in item.series for x in series.x), is_log=item.x_log)
    shown = [
        value
        for series in item.series
        for values in (series.y, series.low or (), series.high or ())
        for value in values
    ]
    y_axis = make_axis(shown, format=item.y_format, reach_ticks=True)
    order = list(enumerate(item.series))
    bands = [_band(series, colour(i), x_axis, y_axis) for i, series in order if series.low and series.high]
    lines = [_line(series, colour(i), x_axis, y_axis) for i, series in order]
    dots = [dot for i, series in order for dot in _dots(item, series, colour(i), x_axis, y_axis)]
    legend = [(colour(i), series.name) for i, series in order] if len(order) > 1 or bands else []
    body = plot(
        [stretched(*bands, *lines), *dots],
        x_axis,
        y_axis,
        x_label=item.x_label,
        y_label=item.y_label,
        description=_description(item),
    )
    return figure("line", body, caption=item.caption, legend=legend)


def _description(item: Line) -> str:
    ends = []
    for series in item.series:
        known = [y for y in series.y if y is not None]
        if known:
            ends.append(
                f"{series.name} from {show(known[0], item.y_format)} to {show(known[-1], item.y_format)}"
            )
    return f"Line chart of {item.y_label} by {item.x_label}: {'; '.join(ends) or 'no values'}"


def _line(series: Series, style: str, x_axis: Axis, y_axis: Axis) -> Markup:
    runs = _runs(series.x, series.y)
    paths = [path(_places(run, series.step, x_axis, y_axis), {"class": "stroke"}) for run in runs]
    return element("g", {"class": style}, *paths)


def _band(series: Series, style: str, x_axis: Axis, y_axis: Axis) -> Markup:
    assert series.low is not None
    assert series.high is not None
    # a gap in one end is a gap in the band
    whole = [
        None if low is None or high is None else (low, high)
        for low, high in zip(series.low, series.high, strict=True)
    ]
    paths = []
    for run in _runs(series.x, whole):
        upper = _places([(x, ends[1]) for x, ends in run], series.step, x_axis, y_axis)
        lower = _places([(x, ends[0]) for x, ends in run], series.step, x_axis, y_axis)
        paths.append(path(upper + lower[::-1], {"class": "band"}, closed=True))
    return element("g", {"class": style}, *paths)


def _runs(x: tuple[float, ...], values: tuple | list) -> Iterator[list]:
    run = []
    for pair in zip(x, values, strict=True):
        if pair[1] is None:
            if run:
                yield run
            run = []
        else:
            run.append(pair)
    if run:
        yield run


def _places(run: list[tuple[float, float]], is_step: bool, x_axis: Axis, y_axis: Axis) -> list[Place]:
    places: list[Place] = []
    for x, y in run:
        place = x_axis.place(x), y_axis.place(y)
        if is_step and places:
            places.append((place[0], places[-1][1]))
        places.append(place)
    return places


def _dots(item: Line, series: Series, style: str, x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    every = max(1, len(series.x) // MAX_HOVERS)
    kind = "dot" if len(series.x) <= MAX_DOTS and not series.step else "rest"
    for index in range(0, len(series.x), every):
        x, y = series.x[index], series.y[index]
        if y is None:
            continue
        left, top = left_top((x_axis.place(x), y_axis.place(y)))
        lines = [series.name, f"{item.x_label}: {show(x)}", f"{item.y_label}: {show(y, item.y_format)}"]
        if series.low and series.high:
            low, high = (show(ends[index], item.y_format) for ends in (series.low, series.high))
            lines.append(f"{low} to {high}")
        radius = 3 if kind == "dot" else 7
        yield element(
            "circle", {"class": f"{kind} {style}", "cx": left, "cy": top, "r": radius}, hover(lines)
        )
