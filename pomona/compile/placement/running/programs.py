"""What each worker of a plan runs: units of work, and the values that cross between workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.fx import Node

from pomona.compile.placement.capture.fx_graph import Captured, operator_name, tensors_of
from pomona.compile.placement.plan import Plan
from pomona.foundation.errors import InputError


@dataclass(frozen=True)
class Unit:
    """What a worker runs in one go: a node of the graph, or those of a cluster, with their views."""

    index: int
    """Least index of its nodes in the graph."""
    priority: float
    worker: int
    nodes: tuple[Node, ...]

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Values that come from other units: names of fx nodes."""
        own = {node.name for node in self.nodes}
        names = [source.name for node in self.nodes for source in node.all_input_nodes]
        return tuple(dict.fromkeys(name for name in names if name not in own))


@dataclass(frozen=True, eq=False)
class Programs:
    """A plan turned into work. Worker `num_workers` stands for the owner, who reads the outputs.

    A view is made again by every worker that reads it, from the value that it looks at: one value crosses,
    once for each worker, however many views of it are read there.
    """

    num_workers: int
    units: tuple[tuple[Unit, ...], ...]
    """Worker → its units."""
    nodes: Mapping[str, Node]
    given: frozenset[str]
    """Names of what every worker has from the beginning: weights and inputs."""
    crossing: Mapping[str, tuple[int, ...]]
    """Name of a value → the other workers that need it."""
    views: tuple[Mapping[str, tuple[Node, ...]], ...]
    """Worker → name of a value that comes from elsewhere, or is given → the views that it makes of it."""
    output: Node


def programs_of(captured: Captured, plan: Plan, num_workers: int) -> Programs:
    """The programs of a plan. Raises InputError where the plan or the module cannot be run."""
    if len(plan.device) != captured.graph.num_nodes:
        raise InputError(
            f"the module has {captured.graph.num_nodes} nodes, the plan {len(plan.device)}: use a plan that "
            "was made for this module and these inputs"
        )
    if len(plan.device) and int(plan.device.max()) >= num_workers:
        raise InputError(f"the plan names device {plan.device.max()}, there are {num_workers} workers")
    graph = captured.module.graph
    nodes = {node.name: node for node in graph.nodes}
    output = next(node for node in graph.nodes if node.op == "output")
    _check_changes_nothing(graph)
    given = frozenset(node.name for node in graph.nodes if node.op in ("placeholder", "get_attr"))
    worker_of = {name: int(plan.device[node]) for name, node in captured.node_of.items()}
    units = _units(captured, plan, given)
    _check_order(units)
    crossing, views = _crossing(units, output, given, captured.node_of, worker_of, num_workers)
    own = tuple(tuple(unit for unit in units if unit.worker == worker) for worker in range(num_workers))
    return Programs(num_workers, own, nodes, given, crossing, views, output)


def root_of(node: Node, node_of: Mapping[str, int]) -> Node:
    """The node that made the memory a node's value lies in; an item of a tuple is one of its own."""
    while _is_alias(node, node_of):
        source = node.all_input_nodes[0]
        if operator_name(node.target) == "getitem" and not _is_alias(source, node_of):
            return node if source.op == "call_function" else source
        node = source
    return node


def _is_alias(node: Node, node_of: Mapping[str, int]) -> bool:
    if node.op != "call_function" or not node.all_input_nodes:
        return False
    own = node_of.get(node.name)
    return own is not None and own == node_of.get(node.all_input_nodes[0].name)


def _units(captured: Captured, plan: Plan, given: frozenset[str]) -> list[Unit]:
    members: dict[int, list[Node]] = {}
    for node in captured.module.graph.nodes:
        if node.op != "call_function":
            continue
        if node.name not in captured.node_of:
            # an assertion of torch.export; numbers that others need would have no place
            if node.users:
                raise InputError(
                    f"{node.target} makes no tensor that could be placed: export with fixed shapes"
                )
            continue
        root = root_of(node, captured.node_of)
        # views of weights and inputs are made where they are read
        if root.name not in given:
            members.setdefault(int(plan.cluster[captured.node_of[node.name]]), []).append(node)
    highest: dict[int, float] = {}
    for cluster, priority in zip(plan.cluster.tolist(), plan.priority.tolist(), strict=True):
        highest[cluster] = max(priority, highest.get(cluster, -np.inf))
    return [
        Unit(cluster, highest[cluster], int(plan.device[cluster]), tuple(nodes))
        for cluster, nodes in sorted(members.items())
    ]


def _crossing(
    units: list[Unit],
    output: Node,
    given: frozenset[str],
    node_of: Mapping[str, int],
    worker_of: Mapping[str, int],
    num_workers: int,
) -> tuple[dict[str, tuple[int, ...]], tuple[dict[str, tuple[Node, ...]], ...]]:
    """What has to be sent where, and the views that a worker makes of what it did not make itself."""
    needed: list[dict[str, Node]] = [{} for _ in range(num_workers + 1)]
    for unit in units:
        for node in unit.nodes:
            _need(node.all_input_nodes, needed[unit.worker], node_of, given)
    _need(output.all_input_nodes, needed[num_workers], node_of, given)
    crossing: dict[str, list[int]] = {}
    views: list[dict[str, tuple[Node, ...]]] = []
    for worker, nodes in enumerate(needed):
        made: dict[str, list[Node]] = {}
        for node in nodes.values():
            root = root_of(node, node_of)
            if root.name not in given and worker_of[root.name] == worker:
                continue
            if root.name not in given and worker not in crossing.setdefault(root.name, []):
                crossing[root.name].append(worker)
            if node is not root:
                made.setdefault(root.name, []).append(node)
        views.append({name: tuple(one) for name, one in made.items()})
    return {name: tuple(workers) for name, workers in crossing.items()}, tuple(views)


def _need(
    sources: list[Node], needed: dict[str, Node], node_of: Mapping[str, int], given: frozenset[str]
) -> None:
    """Adds nodes, and those between them and the memory that they look at, sources first."""
    for source in sources:
        if source.name in needed:
            continue
        if source is not root_of(source, node_of):
            _need(source.all_input_nodes, needed, node_of, given)
        needed[source.name] = source


def _check_changes_nothing(graph: torch.fx.Graph) -> None:
    """Raises InputError for operations in place: others might have read the value already, or not yet."""
    for node in graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if schema is not None and schema.is_mutable:
            raise InputError(f"a plan runs operations that change nothing in place, {node.target} does")


def _check_order(units: list[Unit]) -> None:
    """Raises InputError when units wait for each other in a circle, as those of a wrong fusion do."""
    maker = {node.name: unit.index for unit in units for node in unit.nodes}
    waiting = {unit.index: {maker[name] for name in unit.reads if name in maker} for unit in units}
    done: set[int] = set()
    while ready := [index for index, needs in waiting.items() if needs <= done]:
        done.update(ready)
        for index in ready:
            del waiting[index]
    if waiting:
        raise InputError(
            f"the plan's clusters wait for each other in a circle, the first at node {min(waiting)}: make "
            "them with `fuse`"
        )


def stored_tensor(node: Node) -> torch.Tensor:
    """What the tensor of a node that crosses looks like. Raises InputError when it makes several."""
    tensors = tensors_of(node)
    if len(tensors) != 1 or not isinstance(node.meta.get("val"), torch.Tensor):
        raise InputError(f"{node.name} makes no single tensor: what crosses between workers has to be one")
    return tensors[0]
