"""Scatter charts, with groups, and with the names of the points on the Pareto front."""

import math

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis, make_axis
from pomona.foundation.report.drawing.frame import colour, figure, plot
from pomona.foundation.report.drawing.svg import Place, element, hover, left_top, path, shorten, stretched
from pomona.foundation.report.formats import show
from pomona.foundation.report.items import Point, Scatter

# the size for which names are kept apart, and that of a letter; px
WIDTH, HEIGHT = 440, 270
LETTER_WIDTH, LETTER_HEIGHT = 6.6, 13
MAX_NAMED = 12

# where a name may stand beside its point: shift in px and text anchor, the best first. A front of small and
# good points has its free side above on the left.
SIDES = ((-9, -8, "end"), (9, 4, "start"), (-9, 4, "end"), (9, 18, "start"), (0, -12, "middle"))

Box = tuple[float, float, float, float]  # left, top, right, bottom; px


def draw_scatter(item: Scatter) -> Markup:
    """The chart of a "scatter" item."""
    axis_x = make_axis((p.x for p in item.points), is_log=item.x_log, format=item.x_format, margin=0.04)
    axis_y = make_axis((p.y for p in item.points), format=item.y_format, margin=0.04, reach_ticks=True)
    groups = list(dict.fromkeys(point.group for point in item.points))
    styles = {group: colour(index) for index, group in enumerate(groups)}
    front = sorted((p for p in item.points if p.name in item.front), key=lambda point: (point.x, point.y))
    dots = [
        _dot(item, point, styles[point.group], axis_x, axis_y)
        # those on the front last, above the crowd
        for point in sorted(item.points, key=lambda point: point.name in item.front)
    ]
    places = [(axis_x.place(point.x), axis_y.place(point.y)) for point in front]
    joined = [stretched(path(places, {"class": "front"}))] if len(places) > 1 else []
    body = plot(
        [*joined, *dots, *_names(item, front, axis_x, axis_y)],
        axis_x,
        axis_y,
        x_label=item.x_label,
        y_label=item.y_label,
        description=f"Scatter chart of {item.y_label} by {item.x_label}: {len(item.points)} points"
        + (f", of which on the front: {', '.join(point.name for point in front)}" if front else ""),
    )
    named = [(styles[group], group) for group in groups if group] if len(groups) > 1 else []
    legend = [*named, ("front-key", "Pareto front")] if joined else named
    return figure("scatter", body, caption=item.caption, legend=legend)


def _dot(item: Scatter, point: Point, style: str, axis_x: Axis, axis_y: Axis) -> Markup:
    left, top = left_top((axis_x.place(point.x), axis_y.place(point.y)))
    is_front = point.name in item.front
    lines = [
        point.name + (f" ({point.group})" if point.group else ""),
        f"{item.x_label}: {show(point.x, item.x_format)}",
        f"{item.y_label}: {show(point.y, item.y_format)}",
    ]
    shape = {"class": f"point {style}{' on-front' if is_front else ''}", "cx": left, "cy": top}
    return element("circle", {**shape, "r": 5.5 if is_front else 4.5}, hover(lines))


def _names(item: Scatter, front: list[Point], axis_x: Axis, axis_y: Axis) -> list[Markup]:
    named = front or (list(item.points) if len(item.points) <= MAX_NAMED else [])
    named = named[:: math.ceil(len(named) / MAX_NAMED)] if named else []
    taken = [_around(axis_x.place(point.x), axis_y.place(point.y)) for point in item.points]
    texts = []
    for point in named:
        name, place = shorten(point.name, 22), (axis_x.place(point.x), axis_y.place(point.y))
        for side in SIDES:
            box = _name_box(name, place, side)
            if box[0] >= -4 and box[2] <= WIDTH + 10 and not any(_overlap(box, other) for other in taken):
                (x, y), (shift_x, shift_y, anchor) = left_top(place), side
                where = {"x": x, "y": y, "dx": shift_x, "dy": shift_y, "text-anchor": anchor}
                texts.append(element("text", {"class": "point-name", **where}, name))
                taken.append(box)
                break
    return texts


def _around(x: float, y: float) -> Box:
    return WIDTH * x - 5, HEIGHT * (1 - y) - 5, WIDTH * x + 5, HEIGHT * (1 - y) + 5


def _name_box(name: str, place: Place, side: tuple[int, int, str]) -> Box:
    shift_x, shift_y, anchor = side
    width = LETTER_WIDTH * len(name)
    left = WIDTH * place[0] + shift_x - {"end": width, "start": 0, "middle": width / 2}[anchor]
    baseline = HEIGHT * (1 - place[1]) + shift_y
    return left, baseline - LETTER_HEIGHT + 3, left + width, baseline + 3


def _overlap(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
