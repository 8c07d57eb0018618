"""What every chart has: a figure with legend and caption, and a plot with grid, ticks and axis labels."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pomona.foundation.report.drawing.axes import Axis
from pomona.foundation.report.drawing.svg import element, left_top

CHARACTER_WIDTH = 6.8  # px, of a digit at the size of tick labels
NUM_COLOURS = 8


def figure(kind: str, body: Markup, *, caption: str = "", legend: Sequence[tuple[str, str]] = ()) -> Markup:
    """A figure around a chart; `legend` lists (class that gives the colour, name)."""
    entries = [
        element("li", None, element("span", {"class": f"swatch {colour}"}), name) for colour, name in legend
    ]
    key = element("ul", {"class": "legend"}, *entries) if entries else ""
    note = element("figcaption", None, caption) if caption else ""
    return element("figure", {"class": f"chart {kind}"}, key, body, note)


def plot(
    marks: Sequence[Markup],
    x_axis: Axis,
    y_axis: Axis,
    *,
    x_label: str,
    y_label: str,
    description: str,
    height_px: int = 270,
) -> Markup:
    """The marks over a grid, between labelled axes. `description` is read out in place of the drawing."""
    left = 14 + CHARACTER_WIDTH * max((len(label) for label in y_axis.labels), default=0)
    svg = element(
        "svg",
        {"role": "img", "aria-label": description, "class": "plot", "width": "100%", "height": height_px},
        element("g", {"class": "grid"}, *_grid(x_axis, y_axis)),
        element("g", {"class": "ticks"}, *_ticks(x_axis, y_axis)),
        axis_name(y_label, {"x": f"{-left:.0f}", "y": -14}),
        axis_name(x_label, {"x": "100%", "y": "100%", "dy": 40}, at_end=True),
        *marks,
    )
    return element("div", {"class": "frame", "style": f"--left:{left:.0f}px"}, svg)


def axis_name(name: str, place: Mapping[str, object], *, at_end: bool = False) -> Markup:
    """The name of an axis; `at_end` sets its end at the place and not its start."""
    return element("text", {"class": "axis-label x" if at_end else "axis-label", **place}, name)


def colour(index: int) -> str:
    """The class that gives the colour of the series with this index; after eight they come again, dashed."""
    return f"s{index % NUM_COLOURS}" + (" again" if index >= NUM_COLOURS else "")


def _grid(x_axis: Axis, y_axis: Axis) -> list[Markup]:
    lines = []
    for tick in y_axis.ticks:
        _, y = left_top((0.0, y_axis.place(tick)))
        lines.append(element("line", {"x1": "0%", "x2": "100%", "y1": y, "y2": y}))
    for tick in x_axis.ticks:
        x, _ = left_top((x_axis.place(tick), 0.0))
        lines.append(element("line", {"x1": x, "x2": x, "y1": "100%", "y2": "100%", "class": "mark"}))
    return lines


def _ticks(x_axis: Axis, y_axis: Axis) -> list[Markup]:
    texts = []
    for tick, label in zip(y_axis.ticks, y_axis.labels, strict=True):
        _, y = left_top((0.0, y_axis.place(tick)))
        texts.append(element("text", {"class": "y", "x": 0, "y": y, "dx": -8, "dy": "0.35em"}, label))
    for tick, label in zip(x_axis.ticks, x_axis.labels, strict=True):
        x, _ = left_top((x_axis.place(tick), 0.0))
        texts.append(element("text", {"class": "x", "x": x, "y": "100%", "dy": 20}, label))
    return texts
