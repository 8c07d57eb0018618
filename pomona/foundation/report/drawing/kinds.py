"""Which function draws which kind of chart; the other kinds are plain HTML in templates/items.html."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from pomona.foundation.report.drawing.bars import draw_bars
from pomona.foundation.report.drawing.graph import draw_graph
from pomona.foundation.report.drawing.line import draw_line
from pomona.foundation.report.drawing.matrix import draw_matrix
from pomona.foundation.report.drawing.parallel import draw_parallel
from pomona.foundation.report.drawing.scatter import draw_scatter
from pomona.foundation.report.drawing.timeline import draw_timeline
from pomona.foundation.report.drawing.tree import draw_tree

DRAWINGS: dict[str, Callable[[Any], Markup]] = {
    "line": draw_line,
    "scatter": draw_scatter,
    "bars": draw_bars,
    "matrix": draw_matrix,
    "parallel": draw_parallel,
    "tree": draw_tree,
    "graph": draw_graph,
    "timeline": draw_timeline,
}
