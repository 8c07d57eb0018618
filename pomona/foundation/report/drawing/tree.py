"""Family trees: nested rows that open and close, each with what it gained over its parent."""

from markupsafe import Markup

from pomona.foundation.report.drawing.frame import figure
from pomona.foundation.report.drawing.svg import element, percent
from pomona.foundation.report.formats import THIN_SPACE, common_decimals, show
from pomona.foundation.report.items import Tree, TreeNode

# with more nodes only the line to the best one is open at first
MAX_OPEN = 60
# a generation is indented by MAX_INDENT_PX, less where they would take more than WIDTH_PX together, and below
# MIN_RULED_PX without rules, which would be a hatching
MAX_INDENT_PX, WIDTH_PX, MIN_RULED_PX = 20, 420, 7


def draw_tree(item: Tree) -> Markup:
    """The drawing of a "tree" item."""
    children: dict[str | None, list[TreeNode]] = {}
    for node in item.nodes:
        children.setdefault(node.parent, []).append(node)
    best_line = _best_line(item)
    nodes = {node.id: node for node in item.nodes}
    decimals = common_decimals((node.value for node in item.nodes), item.format)
    scale = _scale(item)
    parts: list[Markup] = []
    # a stack and not recursion: a chain of hundreds of generations is a tree too
    stack: list[TreeNode | None] = list(reversed(children.get(None, [])))
    while stack:
        node = stack.pop()
        if node is None:
            parts.append(Markup("</div></details>"))
            continue
        row = _row(item, node, nodes.get(node.parent or ""), decimals, scale)
        style = "node on-line" if node.id in best_line else "node"
        if node.id not in children:
            parts.append(element("div", {"class": f"{style} leaf"}, row))
            continue
        is_open = len(item.nodes) <= MAX_OPEN or node.id in best_line
        parts.append(
            Markup(f'<details class="{style}"{" open" if is_open else ""}>') + element("summary", None, row)
        )
        parts.append(Markup('<div class="children">'))
        stack += [None, *reversed(children[node.id])]
    body = element("div", _indentation(children), *parts)
    return figure("tree", _tools(item) + body, caption=item.caption)


def _indentation(children: dict[str | None, list[TreeNode]]) -> dict[str, str]:
    depth, generation = 0, children.get(None, [])
    while generation:
        depth += 1
        generation = [child for node in generation for child in children.get(node.id, [])]
    indent_px = min(MAX_INDENT_PX, WIDTH_PX / max(depth, 1))
    style = "tree-rows" if indent_px >= MIN_RULED_PX else "tree-rows dense"
    return {"class": style, "style": f"--indent:{indent_px:.1f}px"}


def _best_line(item: Tree) -> set[str]:
    valued = [node for node in item.nodes if node.value is not None]
    if not valued:
        return set()
    sign = 1 if item.better == "higher" else -1
    nodes = {node.id: node for node in item.nodes}
    current = max(valued, key=lambda node: sign * (node.value or 0.0))
    line = {current.id}
    while current.parent is not None:
        current = nodes[current.parent]
        line.add(current.id)
    return line


def _scale(item: Tree) -> tuple[float, float]:
    values = sorted(node.value for node in item.nodes if node.value is not None)
    if not values:
        return 0.0, 1.0
    # the worst tenth of the nodes would squeeze all the others against the end
    cut = len(values) // 10
    low, high = (values[cut], values[-1]) if item.better == "higher" else (values[0], values[-1 - cut])
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _row(
    item: Tree, node: TreeNode, parent: TreeNode | None, decimals: int | None, scale: tuple[float, float]
) -> Markup:
    label = element("span", {"class": "node-label"}, node.label)
    detail = (
        element("span", {"class": "node-detail", "title": node.detail}, node.detail) if node.detail else ""
    )
    value = element("span", {"class": "node-value"}, show(node.value, item.format, decimals=decimals))
    gain, style = _gain(item, node, parent, decimals)
    return element(
        "span",
        {"class": "row"},
        element("span", {"class": "node-text"}, label, detail),
        element("span", {"class": f"gain {style}"}, gain),
        value,
        _track(node, scale),
    )


def _gain(item: Tree, node: TreeNode, parent: TreeNode | None, decimals: int | None) -> tuple[str, str]:
    if parent is None or parent.value is None or node.value is None:
        return "", "none"
    gain = node.value - parent.value
    if item.format == "percent":
        size = show(100 * abs(gain), decimals=2) + f"{THIN_SPACE}pt"
    else:
        size = show(abs(gain), item.format, decimals=decimals)
    if not any(digit in size for digit in "123456789"):
        return "±0", "same"
    is_better = (gain > 0) == (item.better == "higher")
    return ("+" if gain > 0 else "−") + size, "up" if is_better else "down"


def _track(node: TreeNode, scale: tuple[float, float]) -> Markup:
    marks = [element("line", {"x1": "0%", "x2": "100%", "y1": 8, "y2": 8})]
    if node.value is not None:
        share = min(max((node.value - scale[0]) / (scale[1] - scale[0]), 0.0), 1.0)
        marks.append(element("circle", {"cx": percent(share), "cy": 8, "r": 4}))
    return element("svg", {"class": "track", "aria-hidden": "true", "width": 96, "height": 16}, *marks)


def _tools(item: Tree) -> Markup:
    buttons = [
        element("button", {"type": "button", "data-tree": action}, label)
        for action, label in (("all", "Open all"), ("best", "Line to the best"), ("none", "Close all"))
    ]
    return element("div", {"class": "tools"}, *buttons)
