"""Small networks, layered from top to bottom: Sugiyama's method in its simplest form.

A node's layer is the longest way to it from an input; an edge that skips layers bends through empty places in
them; a few sweeps put each node near the middle of its neighbours, which removes most crossings.
"""

from graphlib import TopologicalSorter
from itertools import pairwise

from markupsafe import Markup

from pomona.foundation.report.drawing.frame import figure
from pomona.foundation.report.drawing.svg import element, hover, shorten
from pomona.foundation.report.items import Graph, GraphNode

NODE_HEIGHT, LAYER_GAP, NODE_GAP, BEND_WIDTH = 40, 26, 22, 14  # px
LETTER_WIDTH, MAX_LETTERS = 7.0, 30
NUM_SWEEPS = 8

# an empty place that the edge with this index passes in this layer
Bend = tuple[int, int]
Slot = str | Bend


def draw_graph(item: Graph) -> Markup:
    """The drawing of a "graph" item."""
    layer = _layers(item)
    chains = _chains(item, layer)
    rows = _order(item, layer, chains)
    widths: dict[Slot, float] = {node.id: _width(node) for node in item.nodes}
    centres = _centres(rows, widths, chains)
    left = min((centres[slot] - widths.get(slot, BEND_WIDTH) / 2 for slot in centres), default=0.0) - 2
    right = max((centres[slot] + widths.get(slot, BEND_WIDTH) / 2 for slot in centres), default=0.0) + 2
    width, height = right - left, len(rows) * (NODE_HEIGHT + LAYER_GAP) - LAYER_GAP + 4
    edges = [_edge(chain, layer, centres, left) for chain in chains]
    nodes = [_node(node, centres[node.id] - left, layer[node.id], widths[node.id]) for node in item.nodes]
    label = {"role": "img", "aria-label": _description(item)}
    box = {"viewBox": f"0 0 {width:.0f} {height:.0f}", "width": f"{width:.0f}", "height": f"{height:.0f}"}
    body = element(
        "div", {"class": "scroll", "tabindex": 0}, element("svg", {**label, **box}, *edges, *nodes)
    )
    return figure("graph", body, caption=item.caption)


def _description(item: Graph) -> str:
    return f"Network of {len(item.nodes)} nodes: {' → '.join(node.label for node in item.nodes[:12])}"


def _layers(item: Graph) -> dict[str, int]:
    sources: dict[str, list[str]] = {node.id: [] for node in item.nodes}
    for source, target in item.edges:
        sources[target].append(source)
    layer: dict[str, int] = {}
    for name in TopologicalSorter(sources).static_order():
        layer[name] = 1 + max((layer[source] for source in sources[name]), default=-1)
    return layer


def _chains(item: Graph, layer: dict[str, int]) -> list[list[Slot]]:
    # each edge as source, bends, target: one slot a layer
    return [
        [source, *((index, depth) for depth in range(layer[source] + 1, layer[target])), target]
        for index, (source, target) in enumerate(item.edges)
    ]


def _order(item: Graph, layer: dict[str, int], chains: list[list[Slot]]) -> list[list[Slot]]:
    rows: list[list[Slot]] = [[] for _ in range(1 + max(layer.values(), default=-1))]
    for node in item.nodes:
        rows[layer[node.id]].append(node.id)
    for chain in chains:
        for bend in chain[1:-1]:
            rows[bend[1]].append(bend)  # type: ignore[index]
    above, below = _neighbours(chains)
    for sweep in range(NUM_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        ordered = rows if sweep % 2 == 0 else rows[::-1]
        for row in ordered:
            position = {slot: i / max(len(r) - 1, 1) for r in rows for i, slot in enumerate(r)}
            row.sort(key=lambda slot: _mean([position[n] for n in neighbours.get(slot, [])], position[slot]))
    return rows


def _neighbours(chains: list[list[Slot]]) -> tuple[dict[Slot, list[Slot]], dict[Slot, list[Slot]]]:
    above: dict[Slot, list[Slot]] = {}
    below: dict[Slot, list[Slot]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    return above, below


def _centres(
    rows: list[list[Slot]], widths: dict[Slot, float], chains: list[list[Slot]]
) -> dict[Slot, float]:
    above, below = _neighbours(chains)
    centres: dict[Slot, float] = {}
    for row in rows:
        _spread(row, [0.0] * len(row), widths, centres)
    for sweep in range(NUM_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [_mean([centres[n] for n in neighbours.get(slot, [])], centres[slot]) for slot in row]
            _spread(row, wanted, widths, centres)
    return centres


def _spread(
    row: list[Slot], wanted: list[float], widths: dict[Slot, float], centres: dict[Slot, float]
) -> None:
    # as near to the wanted centres as the widths allow: pushed apart from the left, then moved back as one
    placed: list[float] = []
    for index, slot in enumerate(row):
        half = widths.get(slot, BEND_WIDTH) / 2
        least = placed[-1] + widths.get(row[index - 1], BEND_WIDTH) / 2 + NODE_GAP + half if placed else -1e9
        placed.append(max(wanted[index], least))
    shift = _mean([want - got for want, got in zip(wanted, placed, strict=True)], 0.0)
    centres.update({slot: place + shift for slot, place in zip(row, placed, strict=True)})


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _width(node: GraphNode) -> float:
    letters = max(len(shorten(node.label, MAX_LETTERS)), 0.86 * len(shorten(node.detail, MAX_LETTERS)))
    return max(LETTER_WIDTH * letters + 28, 64.0)


def _node(node: GraphNode, centre: float, layer: int, width: float) -> Markup:
    top = 2 + layer * (NODE_HEIGHT + LAYER_GAP)
    rect = {
        "x": f"{centre - width / 2:.1f}",
        "y": top,
        "width": f"{width:.1f}",
        "height": NODE_HEIGHT,
        "rx": 9,
    }
    middle = {"x": f"{centre:.1f}", "y": top + NODE_HEIGHT / 2}
    texts = [
        element(
            "text", {**middle, "dy": "-0.1em" if node.detail else "0.35em"}, shorten(node.label, MAX_LETTERS)
        )
    ]
    if node.detail:
        texts.append(
            element("text", {"class": "detail", **middle, "dy": "1.15em"}, shorten(node.detail, MAX_LETTERS))
        )
    lines = [node.label, node.detail] if node.detail else [node.label]
    return element("g", {"class": "graph-node"}, hover(lines), element("rect", rect), *texts)


def _edge(chain: list[Slot], layer: dict[str, int], centres: dict[Slot, float], left: float) -> Markup:
    first = layer[chain[0]]  # type: ignore[index]
    data = ""
    for index, (upper, lower) in enumerate(pairwise(chain)):
        start_x, end_x = centres[upper] - left, centres[lower] - left
        start_y = 2 + (first + index) * (NODE_HEIGHT + LAYER_GAP) + NODE_HEIGHT
        end_y = start_y + LAYER_GAP
        middle = (start_y + end_y) / 2
        data += f"{'M' if not data else 'L'}{start_x:.1f} {start_y}"
        data += f"C{start_x:.1f} {middle} {end_x:.1f} {middle} {end_x:.1f} {end_y}"
    arrow = f"M{end_x - 3.5:.1f} {end_y - 6}L{end_x:.1f} {end_y}L{end_x + 3.5:.1f} {end_y - 6}"
    return element("path", {"class": "edge", "d": data + arrow})
