"""Timelines: a lane a device, a bar for all the time that something takes there."""

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis, make_axis
from pomona.foundation.report.drawing.frame import CHARACTER_WIDTH, axis_name, colour, figure
from pomona.foundation.report.drawing.svg import element, hover, percent, shorten
from pomona.foundation.report.formats import show
from pomona.foundation.report.items import Span, Timeline

LANE_PX, BAR_PX = 30, 20
MAX_LABEL = 18  # characters


def draw_timeline(item: Timeline) -> Markup:
    """The chart of a "timeline" item; time starts at zero."""
    axis = make_axis([0.0, *(span.end for span in item.spans)])
    groups = list(dict.fromkeys(span.group for span in item.spans))
    style = {group: colour(index) for index, group in enumerate(groups)}
    height = LANE_PX * len(item.lanes)
    left = 16 + CHARACTER_WIDTH * min(max(map(len, item.lanes), default=0), MAX_LABEL)
    svg = element(
        "svg",
        {"role": "img", "aria-label": _description(item), "class": "plot", "width": "100%", "height": height},
        element("g", {"class": "grid"}, *_grid(item, axis)),
        element("g", {"class": "ticks"}, *_names(item), *_ticks(axis)),
        axis_name(item.x_label, {"x": "100%", "y": "100%", "dy": 40}, at_end=True),
        *(_bar(item, span, style[span.group], axis) for span in item.spans),
    )
    body = element("div", {"class": "frame", "style": f"--left:{left:.0f}px"}, svg)
    legend = [(style[group], group) for group in groups] if any(groups) else []
    return figure("timeline", body, caption=item.caption, legend=legend)


def _description(item: Timeline) -> str:
    return f"Timeline of {len(item.spans)} bars in {len(item.lanes)} lanes: {', '.join(item.lanes[:12])}"


def _bar(item: Timeline, span: Span, style: str, axis: Axis) -> Markup:
    start, end = axis.place(span.start), axis.place(span.end)
    top = LANE_PX * item.lanes.index(span.lane) + (LANE_PX - BAR_PX) / 2
    place = {"x": percent(start), "width": percent(end - start), "y": f"{top:g}", "height": BAR_PX}
    lines = [span.name, f"{span.lane}: {show(span.start)} to {show(span.end)} {item.x_label}"]
    kind = "span stressed" if span.is_stressed else "span"
    return element("rect", {"class": f"{kind} {style}", **place}, hover(lines))


def _grid(item: Timeline, axis: Axis) -> list[Markup]:
    lines = []
    for tick in axis.ticks:
        x = percent(axis.place(tick))
        lines.append(element("line", {"x1": x, "x2": x, "y1": "0%", "y2": "100%"}))
    for lane in range(len(item.lanes) + 1):
        y = LANE_PX * lane
        lines.append(element("line", {"x1": "0%", "x2": "100%", "y1": y, "y2": y}))
    return lines


def _names(item: Timeline) -> list[Markup]:
    return [
        element(
            "text",
            {"class": "y", "x": 0, "y": LANE_PX * lane + LANE_PX / 2, "dx": -8, "dy": "0.35em"},
            shorten(name, MAX_LABEL),
        )
        for lane, name in enumerate(item.lanes)
    ]


def _ticks(axis: Axis) -> list[Markup]:
    return [
        element("text", {"class": "x", "x": percent(axis.place(tick)), "y": "100%", "dy": 20}, label)
        for tick, label in zip(axis.ticks, axis.labels, strict=True)
    ]
