"""The closed set of things that a section of a report can show.

Each class is one kind of item as it stands in sections/*.json: its fields are the keys, those without a
default are needed, others are refused. None in place of a number is a gap.
"""

from dataclasses import dataclass
from typing import Any, Literal

Cell = str | bool | int | float | None
Format = Literal["auto", "percent", "number", "integer", "seconds", "bytes", "text"]

# read by pydantic: a key that is no field is a mistake, not something to drop
STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class Column:
    __pydantic_config__ = STRICT
    name: str
    unit: str = ""
    format: Format = "auto"


@dataclass(frozen=True)
class Table:
    """Rows that can be sorted by a click."""

    __pydantic_config__ = STRICT
    kind: Literal["table"]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    highlight: int | None = None  # index of the row to stress
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """One of the big numbers on top."""

    __pydantic_config__ = STRICT
    name: str
    value: Cell
    unit: str = ""
    note: str = ""
    interval: tuple[float, float] | None = None  # low and high, in the unit of the value
    format: Format = "auto"


@dataclass(frozen=True)
class Numbers:
    __pydantic_config__ = STRICT
    kind: Literal["numbers"]
    values: tuple[Figure, ...]


@dataclass(frozen=True)
class Series:
    __pydantic_config__ = STRICT
    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] | None = None  # the band around y
    high: tuple[float | None, ...] | None = None
    step: bool = False  # y holds until the next x, as a best-so-far does


@dataclass(frozen=True)
class Line:
    __pydantic_config__ = STRICT
    kind: Literal["line"]
    series: tuple[Series, ...]
    x_label: str
    y_label: str
    caption: str = ""
    x_log: bool = False
    y_format: Format = "auto"


@dataclass(frozen=True)
class Point:
    __pydantic_config__ = STRICT
    x: float
    y: float
    name: str
    group: str = ""


@dataclass(frozen=True)
class Scatter:
    __pydantic_config__ = STRICT
    kind: Literal["scatter"]
    points: tuple[Point, ...]
    x_label: str
    y_label: str
    front: tuple[str, ...] = ()  # names of the points that no other beats on both axes
    x_log: bool = False
    caption: str = ""
    x_format: Format = "auto"
    y_format: Format = "auto"


@dataclass(frozen=True)
class Bar:
    __pydantic_config__ = STRICT
    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bars:
    __pydantic_config__ = STRICT
    kind: Literal["bars"]
    values: tuple[Bar, ...]
    y_label: str
    caption: str = ""
    format: Format = "auto"


@dataclass(frozen=True)
class Matrix:
    """A heat map; with the same names on both sides a confusion matrix, whose rows are the truth."""

    __pydantic_config__ = STRICT
    kind: Literal["matrix"]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    x_label: str
    y_label: str
    caption: str = ""
    format: Format = "auto"


@dataclass(frozen=True)
class Strand:
    __pydantic_config__ = STRICT
    name: str
    values: tuple[float | None, ...]  # one an axis


@dataclass(frozen=True)
class Parallel:
    """Parallel axes on one scale: a line a thing, and where its values go from axis to axis."""

    __pydantic_config__ = STRICT
    kind: Literal["parallel"]
    axes: tuple[str, ...]
    lines: tuple[Strand, ...]
    y_label: str
    highlight: int | None = None  # index of the line to stress
    caption: str = ""


@dataclass(frozen=True)
class TreeNode:
    __pydantic_config__ = STRICT
    id: str
    parent: str | None
    label: str
    value: float | None
    detail: str = ""


@dataclass(frozen=True)
class Tree:
    """A family tree; each node shows what it gained over its parent."""

    __pydantic_config__ = STRICT
    kind: Literal["tree"]
    nodes: tuple[TreeNode, ...]
    caption: str = ""
    format: Format = "auto"
    better: Literal["higher", "lower"] = "higher"


@dataclass(frozen=True)
class GraphNode:
    __pydantic_config__ = STRICT
    id: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class Graph:
    """A directed graph without cycles, drawn in layers from top to bottom."""

    __pydantic_config__ = STRICT
    kind: Literal["graph"]
    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[str, str], ...]
    caption: str = ""


@dataclass(frozen=True)
class Image:
    __pydantic_config__ = STRICT
    png: str  # base64
    caption: str
    detail: str = ""


@dataclass(frozen=True)
class Images:
    __pydantic_config__ = STRICT
    kind: Literal["images"]
    images: tuple[Image, ...]
    caption: str = ""


@dataclass(frozen=True)
class Clip:
    __pydantic_config__ = STRICT
    wav: str  # base64
    caption: str
    detail: str = ""


@dataclass(frozen=True)
class Audio:
    __pydantic_config__ = STRICT
    kind: Literal["audio"]
    clips: tuple[Clip, ...]
    caption: str = ""


@dataclass(frozen=True)
class Text:
    __pydantic_config__ = STRICT
    kind: Literal["text"]
    text: str  # a blank line starts a paragraph


@dataclass(frozen=True)
class Code:
    __pydantic_config__ = STRICT
    kind: Literal["code"]
    text: str


@dataclass(frozen=True)
class Span:
    __pydantic_config__ = STRICT
    lane: str
    start: float
    end: float
    name: str
    group: str = ""  # gives the colour
    is_stressed: bool = False  # outlined


@dataclass(frozen=True)
class Timeline:
    """What runs where and when: a lane a device, from time zero on."""

    __pydantic_config__ = STRICT
    kind: Literal["timeline"]
    lanes: tuple[str, ...]
    spans: tuple[Span, ...]
    x_label: str
    caption: str = ""


Plot = Line | Scatter | Bars | Matrix | Parallel | Tree | Graph | Timeline

Item = Table | Numbers | Plot | Images | Audio | Text | Code

ITEMS: dict[str, Any] = {
    "table": Table,
    "numbers": Numbers,
    "line": Line,
    "scatter": Scatter,
    "bars": Bars,
    "matrix": Matrix,
    "parallel": Parallel,
    "tree": Tree,
    "graph": Graph,
    "timeline": Timeline,
    "images": Images,
    "audio": Audio,
    "text": Text,
    "code": Code,
}


@dataclass(frozen=True)
class Section:
    title: str
    lead: str
    items: tuple[Item, ...]
