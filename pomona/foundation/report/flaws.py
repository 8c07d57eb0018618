"""What types cannot say about an item: the lengths and names in it that must agree."""

import base64
import binascii
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pomona.foundation.report.items import (
    Audio,
    Bars,
    Graph,
    Images,
    Item,
    Line,
    Matrix,
    Numbers,
    Parallel,
    Scatter,
    Table,
    Timeline,
    Tree,
)


def flaw(item: Item) -> str | None:
    """What is wrong with an item whose types are right, in words; None when nothing is."""
    return _FLAWS[item.kind](item) if item.kind in _FLAWS else None


def _table_flaw(item: Table) -> str | None:
    for index, row in enumerate(item.rows):
        if len(row) != len(item.columns):
            return f"rows[{index}] has {len(row)} cells where columns has {len(item.columns)}"
    if item.highlight is not None and not 0 <= item.highlight < len(item.rows):
        return f"highlight should be the index of one of {len(item.rows)} rows, got {item.highlight}"
    return None


def _numbers_flaw(item: Numbers) -> str | None:
    for index, figure in enumerate(item.values):
        if figure.interval and figure.interval[0] > figure.interval[1]:
            return f"values[{index}].interval should be low, high; got {list(figure.interval)}"
    return None


def _line_flaw(item: Line) -> str | None:
    for index, series in enumerate(item.series):
        for key in ("y", "low", "high"):
            values = getattr(series, key)
            if values is not None and len(values) != len(series.x):
                return f"series[{index}].{key} has {len(values)} values where x has {len(series.x)}"
        if (series.low is None) != (series.high is None):
            return f"series[{index}] has one of low and high; a band needs both"
        if item.x_log and min(series.x, default=1) <= 0:
            return f"series[{index}].x has a value of 0 or below, which x_log cannot show"
    return None


def _parallel_flaw(item: Parallel) -> str | None:
    for index, line in enumerate(item.lines):
        if len(line.values) != len(item.axes):
            return f"lines[{index}] has {len(line.values)} values where axes has {len(item.axes)}"
    if item.highlight is not None and not 0 <= item.highlight < len(item.lines):
        return f"highlight should be the index of one of {len(item.lines)} lines, got {item.highlight}"
    return None


def _scatter_flaw(item: Scatter) -> str | None:
    missing = set(item.front) - {point.name for point in item.points}
    if missing:
        return f"front names {sorted(missing)[0]!r}, which is no point"
    if item.x_log and min((point.x for point in item.points), default=1) <= 0:
        return "points has an x of 0 or below, which x_log cannot show"
    return None


def _bars_flaw(item: Bars) -> str | None:
    for index, bar in enumerate(item.values):
        if (bar.low is None) != (bar.high is None):
            return f"values[{index}] has one of low and high; an interval needs both"
    return None


def _matrix_flaw(item: Matrix) -> str | None:
    if len(item.values) != len(item.rows):
        return f"values has {len(item.values)} rows where rows has {len(item.rows)}"
    for index, row in enumerate(item.values):
        if len(row) != len(item.columns):
            return f"values[{index}] has {len(row)} numbers where columns has {len(item.columns)}"
    return None


def _tree_flaw(item: Tree) -> str | None:
    parents = {node.id: node.parent for node in item.nodes}
    if len(parents) != len(item.nodes):
        return "two nodes have the same id"
    finished: set[str] = set()
    for start in parents:
        path: set[str] = set()
        current: str | None = start
        while current is not None and current not in finished:
            if current in path:
                return f"the node {current!r} is its own ancestor"
            if current not in parents:
                return f"a node names the parent {current!r}, which is no node"
            path.add(current)
            current = parents[current]
        finished |= path
    return None


def _graph_flaw(item: Graph) -> str | None:
    names = {node.id for node in item.nodes}
    if len(names) != len(item.nodes):
        return "two nodes have the same id"
    for index, edge in enumerate(item.edges):
        missing = set(edge) - names
        if missing:
            return f"edges[{index}] names {sorted(missing)[0]!r}, which is no node"
    sorter = TopologicalSorter({name: () for name in names})
    for source, target in item.edges:
        sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError as error:
        return f"the edges form a cycle: {' → '.join(error.args[1])}"
    return None


def _timeline_flaw(item: Timeline) -> str | None:
    for index, span in enumerate(item.spans):
        if span.lane not in item.lanes:
            return f"spans[{index}] names the lane {span.lane!r}, which is none of {len(item.lanes)} lanes"
        if not 0 <= span.start <= span.end:
            return f"spans[{index}] should be within time zero and later, got {span.start:g} to {span.end:g}"
    return None


def _images_flaw(item: Images) -> str | None:
    for index, image in enumerate(item.images):
        if not _starts(image.png, b"\x89PNG\r\n\x1a\n"):
            return f"images[{index}].png is not a PNG file in base64"
    return None


def _audio_flaw(item: Audio) -> str | None:
    for index, clip in enumerate(item.clips):
        if not _starts(clip.wav, b"RIFF"):
            return f"clips[{index}].wav is not a WAV file in base64"
    return None


def _starts(text: str, signature: bytes) -> bool:
    try:
        return base64.b64decode(text, validate=True).startswith(signature)
    except (binascii.Error, ValueError):
        return False


_FLAWS: dict[str, Callable[[Any], str | None]] = {
    "table": _table_flaw,
    "numbers": _numbers_flaw,
    "line": _line_flaw,
    "parallel": _parallel_flaw,
    "scatter": _scatter_flaw,
    "bars": _bars_flaw,
    "matrix": _matrix_flaw,
    "tree": _tree_flaw,
    "graph": _graph_flaw,
    "timeline": _timeline_flaw,
    "images": _images_flaw,
    "audio": _audio_flaw,
}
