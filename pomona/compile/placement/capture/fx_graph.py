"""A Graph from a graph of torch.fx whose nodes know their tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from pomona.compile.placement.capture.torch_flops import node_flops
from pomona.compile.placement.capture.torch_words import torch_word
from pomona.compile.placement.graph import Graph
from pomona.compile.placement.node_list import NodeList


@dataclass(frozen=True, eq=False)
class Captured:
    """A graph and where it comes from."""

    graph: Graph
    module: torch.fx.GraphModule
    node_of: Mapping[str, int]
    """Name of an fx node → index of the graph's node that holds its memory: for a view that of its source."""


@dataclass(frozen=True)
class Stored:
    """What a placeholder is."""

    op: str  # parameter, state, constant or input
    label: str


def graph_of_fx(
    module: torch.fx.GraphModule,
    name: str,
    *,
    stored: Mapping[str, Stored],
    paths: Mapping[str, str],
    gradients: Mapping[str, Node] | None = None,
) -> Captured:
    """The Graph of an fx graph, with an update for every placeholder that has a gradient.

    Views have no node of their own: who reads one reads its source. A single output that is used of several
    is the operation's; more are items. What makes no tensor is left out. `stored` and `paths` are by node
    name.
    """
    nodes = NodeList()
    node_of: dict[str, int] = {}
    for node in module.graph.nodes:
        if node.op == "placeholder" or node.op == "get_attr":
            _add_stored(nodes, node_of, node, stored.get(node.name, Stored("constant", node.name)))
        elif node.op == "call_function":
            _add_call(nodes, node_of, node, paths.get(node.name, ""))
    for placeholder, gradient in (gradients or {}).items():
        if placeholder in node_of and gradient.name in node_of:
            nodes.add_update(node_of[placeholder], node_of[gradient.name])
    graph = nodes.graph(name)
    return Captured(graph, module, node_of)


@dataclass(frozen=True)
class Cost:
    """What a node costs."""

    op: str
    flops: float
    traffic_bytes: float


def cost_of(node: Node) -> Cost | None:
    """The cost of an fx node; None for views, items and what makes no tensor."""
    tensors = tensors_of(node)
    if node.op != "call_function" or not tensors or _is_item(node) or _is_view(node):
        return None
    word = torch_word(operator_name(node.target))
    return Cost(word, node_flops(node, word), _traffic_bytes(node, word, tensors))


def tensors_of(node: Node) -> list[torch.Tensor]:
    """The tensors that a node makes; none where it makes numbers."""
    value = node.meta.get("val")
    values = value if isinstance(value, list | tuple) else [value]
    return [one for one in values if isinstance(one, torch.Tensor)]


def stored_bytes(tensor: torch.Tensor) -> float:
    """Bytes that a tensor takes, axes that are only broadcast counted once."""
    count = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= int(size) if stride else 1
    return float(count * tensor.element_size())


def operator_name(target: Any) -> str:
    """The name of an operator without namespace and overload."""
    packet = getattr(target, "overloadpacket", target)
    return str(getattr(packet, "__name__", packet))


_SECRET_VIEWS = ("_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk")
"""They look at their source, but their schemas do not say so."""


def _add_stored(nodes: NodeList, node_of: dict[str, int], node: Node, what: Stored) -> None:
    tensors = tensors_of(node)
    if tensors and node.users:
        shape, size_bytes = _shape(tensors[0]), stored_bytes(tensors[0])
        node_of[node.name] = nodes.add(what.op, what.label, shape, size_bytes, is_stored=True)


def _add_call(nodes: NodeList, node_of: dict[str, int], node: Node, path: str) -> None:
    tensors, sources = tensors_of(node), _sources(node, node_of)
    seen, cost = _seen(node, node_of), cost_of(node)
    if tensors and seen is not None:
        node_of[node.name] = seen
    if cost is None:
        return
    operator = operator_name(node.target)
    made = nodes.add(
        cost.op,
        f"{path}/{operator}" if path else operator,
        _shape(tensors[0]),
        stored_bytes(tensors[0]),
        sources=sources,
        flops=cost.flops,
        traffic_bytes=cost.traffic_bytes,
    )
    node_of[node.name] = made
    for written in _written(node):
        node_of[written.name] = made
    items = [user for user in node.users if _is_item(user) and user.users and tensors_of(user)]
    if not items:
        return
    for item in items:
        (tensor,) = tensors_of(item)
        if len(items) == 1:
            nodes.shapes[made], nodes.output_bytes[made] = _shape(tensor), stored_bytes(tensor)
            node_of[item.name] = made
        else:
            node_of[item.name] = nodes.add_item(made, _shape(tensor), stored_bytes(tensor))


def _sources(node: Node, node_of: dict[str, int]) -> list[int]:
    return sorted({node_of[source.name] for source in node.all_input_nodes if source.name in node_of})


def _seen(node: Node, node_of: dict[str, int]) -> int | None:
    # the node that a view looks at, or that an item was taken from
    if _is_item(node) and node.name in node_of:
        return node_of[node.name]
    if (_is_item(node) or _is_view(node)) and node.all_input_nodes:
        return node_of.get(node.all_input_nodes[0].name)
    return None


def _is_item(node: Node) -> bool:
    return operator_name(node.target) == "getitem"


def _is_view(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return False
    looks = any(made.alias_info is not None and not made.alias_info.is_write for made in schema.returns)
    return looks or operator_name(node.target) in _SECRET_VIEWS


def _written(node: Node) -> list[Node]:
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return []
    pairs = zip(node.args, schema.arguments, strict=False)
    return [
        value
        for value, argument in pairs
        if isinstance(value, Node) and argument.alias_info is not None and argument.alias_info.is_write
    ]


def _traffic_bytes(node: Node, word: str, tensors: list[torch.Tensor]) -> float:
    made = sum(stored_bytes(tensor) for tensor in tensors)
    read = [sum(stored_bytes(one) for one in tensors_of(source)) for source in node.all_input_nodes]
    if word == "gather":
        # of the table only the rows that are asked for
        return 2 * made + sum(read[1:])
    return made + (0.0 if word == "fill" else sum(read))


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor.shape)
