"""Writing sections: a function an item, each of which returns the plain data that items.py describes.

write_section(folder, 1, "board", "Leaderboard", [table(["trial", ("valid", "percent")], [[1, 0.98]])])
"""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pomona.foundation.errors import SettingError
from pomona.foundation.files import write_json
from pomona.foundation.report.items import Cell
from pomona.foundation.report.reading import check_section

Plain = dict[str, Any]


def write_section(
    folder: Path, order: int, name: str, title: str, items: Sequence[Mapping[str, Any]], lead: str = ""
) -> Path:
    """Writes folder/sections/NN-name.json, after checking it, and returns its path.

    Sections appear by `order` (0 to 99); one of the same order and name is replaced. `lead` is a paragraph
    below the title.
    """
    if not 0 <= order <= 99 or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise SettingError(
            "a section needs an order in 0…99 and a name of small letters, digits and '-', "
            f"got {order} and {name!r}"
        )
    path = Path(folder) / "sections" / f"{order:02d}-{name}.json"
    plain = {"title": title, "lead": lead, "items": list(items)}
    check_section(plain, f"sections/{path.name}")
    write_json(path, plain)
    return path


def table(
    columns: Sequence[str | tuple[str, str] | tuple[str, str, str]],
    rows: Sequence[Sequence[Cell]],
    *,
    highlight: int | None = None,
    caption: str = "",
) -> Plain:
    """A sortable table. A column is a name, (name, format) or (name, format, unit)."""
    named = [(column,) if isinstance(column, str) else column for column in columns]
    plain = [dict(zip(("name", "format", "unit"), column, strict=False)) for column in named]
    return _item("table", columns=plain, rows=rows, highlight=highlight, caption=caption)


def number(
    name: str, value: Cell, *, format: str = "auto", unit: str = "", note: str = "", interval: Any = None
) -> Plain:
    """One of the figures of `numbers`; `interval` is (low, high) or a statistics.Interval."""
    ends = [interval.low, interval.high] if hasattr(interval, "low") else interval
    return {"name": name, "value": value, "format": format, "unit": unit, "note": note, "interval": ends}


def numbers(*figures: Mapping[str, Any]) -> Plain:
    """Big figures side by side, each made by `number`."""
    return _item("numbers", values=figures)


def series(name: str, x: Any, y: Any, *, low: Any = None, high: Any = None, step: bool = False) -> Plain:
    """One of the lines of `line`; arrays or lists. `low` and `high` draw a band, NaN or None a gap."""
    return {"name": name, "x": x, "y": y, "low": low, "high": high, "step": step}


def line(
    lines: Sequence[Mapping[str, Any]],
    x_label: str,
    y_label: str,
    *,
    x_log: bool = False,
    y_format: str = "auto",
    caption: str = "",
) -> Plain:
    """A line chart of things made by `series`."""
    labels = {"x_label": x_label, "y_label": y_label, "caption": caption}
    return _item("line", series=lines, x_log=x_log, y_format=y_format, **labels)


def scatter(
    points: Sequence[tuple[Any, ...]],
    x_label: str,
    y_label: str,
    *,
    front: Sequence[str] = (),
    x_log: bool = False,
    x_format: str = "auto",
    y_format: str = "auto",
    caption: str = "",
) -> Plain:
    """A scatter chart of (x, y, name) or (x, y, name, group); a line joins the points named in `front`."""
    plain = [dict(zip(("x", "y", "name", "group"), point, strict=False)) for point in points]
    labels = {"x_label": x_label, "y_label": y_label, "caption": caption}
    formats = {"x_log": x_log, "x_format": x_format, "y_format": y_format}
    return _item("scatter", points=plain, front=front, **formats, **labels)


def bars(values: Mapping[str, Any], y_label: str, *, format: str = "auto", caption: str = "") -> Plain:
    """A bar a name; a value is a number or (value, low, high)."""
    named = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
    plain = [
        dict(zip(("name", "value", "low", "high"), (name, *v), strict=False)) for name, v in named.items()
    ]
    return _item("bars", values=plain, y_label=y_label, format=format, caption=caption)


def matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Any,
    x_label: str,
    y_label: str,
    *,
    format: str = "auto",
    caption: str = "",
) -> Plain:
    """A heat map; with `rows` equal to `columns` a confusion matrix, whose rows are the truth."""
    names = {"rows": list(map(str, rows)), "columns": list(map(str, columns))}
    labels = {"x_label": x_label, "y_label": y_label, "caption": caption}
    return _item("matrix", **names, values=values, format=format, **labels)


def parallel(
    axes: Sequence[str],
    lines: Mapping[str, Any],
    y_label: str,
    *,
    highlight: int | None = None,
    caption: str = "",
) -> Plain:
    """Parallel axes on one scale; `lines` maps a name to a value for each axis, `highlight` is a place."""
    strands = [{"name": str(name), "values": values} for name, values in lines.items()]
    return _item(
        "parallel", axes=list(axes), lines=strands, y_label=y_label, highlight=highlight, caption=caption
    )


def node(id: object, parent: object, label: str, value: float | None, detail: str = "") -> Plain:
    """One of the nodes of `tree`; `parent` is None at a root."""
    parent_id = None if parent is None else str(parent)
    return {"id": str(id), "parent": parent_id, "label": label, "value": value, "detail": detail}


def tree(
    nodes: Sequence[Mapping[str, Any]], *, format: str = "auto", better: str = "higher", caption: str = ""
) -> Plain:
    """A family tree of things made by `node`; `better` says which way a gain is ("higher" or "lower")."""
    return _item("tree", nodes=nodes, format=format, better=better, caption=caption)


def graph(
    nodes: Mapping[str, str | tuple[str, str]], edges: Sequence[tuple[str, str]], *, caption: str = ""
) -> Plain:
    """A network drawn in layers; `nodes` maps an id to its label or to (label, detail)."""
    named = {id: label if isinstance(label, tuple) else (label,) for id, label in nodes.items()}
    plain = [dict(zip(("id", "label", "detail"), (id, *texts), strict=False)) for id, texts in named.items()]
    return _item("graph", nodes=plain, edges=edges, caption=caption)


def span(
    lane: str, start: float, end: float, name: str, *, group: str = "", is_stressed: bool = False
) -> Plain:
    """One of the bars of `timeline`; bars of one `group` have one colour."""
    return {
        "lane": lane, "start": start, "end": end, "name": name, "group": group, "is_stressed": is_stressed
    }  # fmt: skip


def timeline(
    lanes: Sequence[str], spans: Sequence[Mapping[str, Any]], x_label: str, *, caption: str = ""
) -> Plain:
    """What runs when: a lane a device, bars made by `span`, `x_label` with the unit of time."""
    return _item("timeline", lanes=list(lanes), spans=spans, x_label=x_label, caption=caption)


def images(pictures: Sequence[tuple[bytes, str] | tuple[bytes, str, str]], *, caption: str = "") -> Plain:
    """PNG files with captions: (png, caption) or (png, caption, detail)."""
    return _item("images", images=_files("png", pictures), caption=caption)


def audio(recordings: Sequence[tuple[bytes, str] | tuple[bytes, str, str]], *, caption: str = "") -> Plain:
    """WAV files with captions: (wav, caption) or (wav, caption, detail)."""
    return _item("audio", clips=_files("wav", recordings), caption=caption)


def text(content: str) -> Plain:
    """Paragraphs, parted by blank lines."""
    return _item("text", text=content)


def code(content: str) -> Plain:
    """Text in a fixed-width face, as it stands."""
    return _item("code", text=content)


def _item(kind: str, **fields: Any) -> Plain:
    return {"kind": kind, **{key: value for key, value in fields.items() if value is not None}}


def _files(key: str, files: Sequence[tuple[Any, ...]]) -> list[Plain]:
    plain = [dict(zip((key, "caption", "detail"), file, strict=False)) for file in files]
    return [{**file, key: base64.b64encode(file[key]).decode()} for file in plain]
