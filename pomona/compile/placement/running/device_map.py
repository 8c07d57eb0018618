"""A plan as the device map of accelerate and transformers: name of a module → its device."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pomona.compile.placement.graph import Graph
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.module_nodes import ModuleNodes, module_nodes
from pomona.foundation.errors import InputError

if TYPE_CHECKING:
    import torch


def device_map(
    module: "torch.nn.Module", graph: Graph, plan: Plan, devices: Sequence[str | int] | None = None
) -> dict[str, str | int]:
    """Devices by module, as few names as say it all: a module stands for everything in it.

    `graph` was captured from `module`; `devices` are names for the plan's numbers, which are used without.
    There a module runs where its weights are, so a module whose operations the plan splits gets the device
    that has most of them. A weight of a module that is split further has an entry of its own. Every weight
    and buffer is covered. Raises InputError when graph, plan and module do not belong together.
    """
    if len(plan.device) != graph.num_nodes:
        raise InputError(
            f"{graph.name!r} has {graph.num_nodes} nodes, the plan {len(plan.device)}: give the plan's graph"
        )
    count = int(plan.device.max(initial=0)) + 1
    if devices is not None and len(devices) < count:
        raise InputError(f"the plan has {count} devices, {len(devices)} names are given")
    named = list(devices) if devices is not None else list(range(count))
    nodes = module_nodes(graph, [name for name, _ in module.named_modules()])
    placed = dict(zip(graph.labels, plan.device.tolist(), strict=True))
    found: dict[str, int] = {}
    _assign(module, "", nodes, plan, _most(nodes, plan, "", 0), found)
    for name in found:
        # a weight of a module that is split is where the plan has it
        found[name] = placed.get(name.replace(".", "/"), found[name])
    return {name: named[device] for name, device in found.items()}


def _assign(
    module: "torch.nn.Module",
    name: str,
    nodes: ModuleNodes,
    plan: Plan,
    around: int,
    found: dict[str, int],
) -> None:
    """Names a module, or its parts where they are not all on one device."""
    parts = [(f"{name}.{part}".lstrip("."), child) for part, child in module.named_children()]
    own = _most(nodes, plan, name, around)
    devices = {_most(nodes, plan, part, own) for part, _ in _leaves(parts)}
    if not parts or len(devices) <= 1:
        found[name] = next(iter(devices), own)
        return
    weights = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    for weight, _ in weights:
        found[f"{name}.{weight}".lstrip(".")] = own
    for part, child in parts:
        _assign(child, part, nodes, plan, own, found)


def _leaves(parts: "list[tuple[str, torch.nn.Module]]") -> "list[tuple[str, torch.nn.Module]]":
    """Modules without parts in these modules, and these themselves where they have none."""
    found = []
    for name, module in parts:
        inner = [(f"{name}.{part}", child) for part, child in module.named_children()]
        found += _leaves(inner) if inner else [(name, module)]
    return found


def _most(nodes: ModuleNodes, plan: Plan, name: str, otherwise: int) -> int:
    """The device of most that is computed in a module; without any of its weights."""
    own = nodes.inside(name)
    if not own:
        return otherwise
    weight = nodes.weight[own] + 1e-9
    return int(np.bincount(plan.device[own], weight).argmax())
