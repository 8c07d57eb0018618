"""A picture of a graph: stages as boxes, edges as labels with their types, from inputs down to outputs.

The report's own layered drawing places everything; here it is told apart by class and made to stand alone.
"""

from pathlib import Path
from xml.etree import ElementTree

from pomona.foundation.files import write_bytes
from pomona.perceive.graph.edge_types import type_name
from pomona.perceive.graph.soundness import check
from pomona.perceive.graph.stage import Graph, Stage

SVG = "http://www.w3.org/2000/svg"
MARGIN = 16  # px

STYLE = """
text { font: 14px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; text-anchor: middle; fill: #1c2733 }
text.detail { font-size: 12px; fill: #5b6b7b }
rect { fill: #e4eefb; stroke: #3a74b8; stroke-width: 1.5 }
.edge-node rect { fill: #ffffff; stroke: none }
.input rect, .output rect { fill: #f0f6ec; stroke: #5d8f3c; stroke-width: 1.5; rx: 20px }
.output rect { fill: #fdf3e2; stroke: #c0842a }
.unused text { fill: #93a0ad }
path.edge { fill: none; stroke: #7d8fa1; stroke-width: 1.4 }
.backdrop { fill: #ffffff; stroke: none }
"""


def draw(graph: Graph, path: str | Path) -> None:
    """Writes the graph as an SVG picture. Raises GraphError when the graph cannot run."""
    check(graph)
    write_bytes(Path(path), picture(graph))


def picture(graph: Graph) -> bytes:
    """The graph as an SVG document."""
    from pomona.foundation.report.drawing.graph import draw_graph
    from pomona.foundation.report.items import Graph as Drawing
    from pomona.foundation.report.items import GraphNode

    classes = {f"edge {edge}": _edge_class(graph, edge) for edge in graph.edges()}
    nodes = [GraphNode(f"edge {edge}", edge, type_name(type_)) for edge, type_ in graph.edges().items()]
    lines: list[tuple[str, str]] = []
    for stage in graph.stages:
        classes[f"stage {stage.name}"] = "stage"
        nodes.append(GraphNode(f"stage {stage.name}", stage.name, _manner(stage)))
        sources = dict.fromkeys(stage.arguments.values())
        lines += [(f"edge {edge}", f"stage {stage.name}") for edge in sources]
        lines += [(f"stage {stage.name}", f"edge {edge}") for edge in stage.outputs]
    figure = ElementTree.fromstring(str(draw_graph(Drawing("graph", tuple(nodes), tuple(lines)))))
    drawing = figure.find(".//svg")
    assert drawing is not None, "the report's drawing holds an svg"
    for node, group in zip(nodes, drawing.findall("g"), strict=True):
        group.set("class", classes[node.id])
    return _alone(drawing)


def _edge_class(graph: Graph, edge: str) -> str:
    if edge in graph.outputs:
        return "edge-node output"
    if edge in graph.inputs:
        return "edge-node input"
    is_used = any(edge in stage.arguments.values() for stage in graph.stages)
    return "edge-node" if is_used else "edge-node unused"


def _manner(stage: Stage) -> str:
    if stage.state is not None:
        return "in order, with state"
    return f"{stage.at_once} frames at once" if stage.at_once > 1 else "one frame at a time"


def _alone(drawing: ElementTree.Element) -> bytes:
    width, height = (float(drawing.get(side, "0")) + 2 * MARGIN for side in ("width", "height"))
    box = (-MARGIN, -MARGIN, width, height)
    drawing.set("xmlns", SVG)
    drawing.set("viewBox", " ".join(f"{value:g}" for value in box))
    drawing.set("width", f"{width:g}")
    drawing.set("height", f"{height:g}")
    style = ElementTree.Element("style")
    style.text = STYLE
    sides = dict(zip(("x", "y", "width", "height"), map("{:g}".format, box), strict=True))
    drawing.insert(0, style)
    drawing.insert(1, ElementTree.Element("rect", {"class": "backdrop", **sides}))
    return ElementTree.tostring(drawing, encoding="utf-8", xml_declaration=True)
