"""Elements of SVG and HTML as escaped text."""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

SPAN = 1000  # the side of the square in which paths are given, stretched over the plot

Place = tuple[float, float]  # shares of the plot's width and height, from the lower left


def element(name: str, attributes: Mapping[str, object] | None = None, *children: object) -> Markup:
    """`<name …>children</name>`, with attributes and text escaped; attributes that are None are left out."""
    given = "".join(
        f' {key}="{escape(value)}"' for key, value in (attributes or {}).items() if value is not None
    )
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{given}>{inside}</{name}>")


def percent(share: float) -> str:
    """0.25 as '25%', to a thousandth."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def left_top(place: Place) -> tuple[str, str]:
    """The place as SVG's percentages from the left and from the top."""
    return percent(place[0]), percent(1 - place[1])


def stretched(*paths: Markup) -> Markup:
    """Paths in SPAN coordinates, laid over the whole plot; strokes keep their width."""
    box = {"viewBox": f"0 0 {SPAN} {SPAN}", "preserveAspectRatio": "none", "width": "100%", "height": "100%"}
    return element("svg", {**box, "overflow": "visible"}, *paths)


def path(places: Sequence[Place], attributes: Mapping[str, object], *, closed: bool = False) -> Markup:
    """A path through `places`, to go into `stretched`."""
    data = "M" + "L".join(f"{SPAN * x:.1f} {SPAN * (1 - y):.1f}" for x, y in places) + ("Z" if closed else "")
    return element("path", {"d": data, "vector-effect": "non-scaling-stroke", **attributes})


def hover(lines: Iterable[str]) -> Markup:
    """The title that a browser shows when the pointer rests on the mark."""
    return element("title", None, "\n".join(lines))


def shorten(label: str, length: int) -> str:
    """`label` in at most `length` characters."""
    return label if len(label) <= length else label[: length - 1].rstrip() + "…"
