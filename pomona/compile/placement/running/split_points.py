"""A plan, or a balance of costs, as the split points of torch.distributed.pipelining."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from pomona.compile.pipeline.exact import exact_cuts
from pomona.compile.placement.graph import Graph
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.running.module_nodes import module_nodes
from pomona.foundation.errors import InputError


@dataclass(frozen=True)
class Split:
    """Where stages begin: `split_spec={name: SplitPoint.BEGINNING for name in names}` of `pipeline`."""

    names: tuple[str, ...]
    """The modules that the stages after the first begin with."""
    devices: tuple[int, ...]
    """The plan's device of each stage, the first one's included."""
    agreement: float
    """Share of the work that is on the device that the plan has for it; 1 for a plan that is a pipeline."""


def split_points(module: torch.nn.Module, graph: Graph, plan: Plan) -> Split:
    """The split that agrees best with a plan: a stage for each device, in the order of what they run.

    `graph` was captured from `module`. Raises InputError when the module has fewer parts that run one after
    the other than the plan has devices.
    """
    parts = _parts(module, graph)
    nodes, weight = parts.nodes, module_nodes(graph, parts.known).weight[parts.nodes]
    device = plan.device[nodes]
    used = np.unique(device[weight > 0])
    middle = [
        float(np.average(np.flatnonzero(device == k), weights=weight[device == k] + 1e-9)) for k in used
    ]
    order = [int(used[k]) for k in np.argsort(middle, kind="stable")]
    if len(order) > len(parts.names):
        raise InputError(
            f"the plan has {len(order)} devices, {graph.name!r} can be split into {len(parts.names)} parts"
        )
    inside = np.stack([np.add.reduceat(np.where(device == one, weight, 0.0), parts.starts) for one in order])
    cuts, agreed = _most_agreeing(inside)
    names = tuple(parts.names[cut] for cut in cuts)
    return Split(names, tuple(order), agreed / max(float(weight.sum()), 1e-9))


def balanced_split_points(module: torch.nn.Module, problem: Problem, num_stages: int) -> Split:
    """The split whose slowest stage is the fastest, with what is sent, by the costs of the first device.

    Raises SettingError when the module cannot be split so often.
    """
    graph = problem.graph
    parts = _parts(module, graph)
    ends = [*parts.starts, len(parts.nodes)]
    work = np.concatenate([[0.0], np.cumsum(problem.run_us[0][parts.nodes])])[ends]
    sent = _sent_us(problem, parts.nodes)[ends]
    crossing = sent[None, :] + sent[:, None]
    cuts = exact_cuts(work[None, :] - work[:, None] + crossing, num_stages, lesser=crossing)
    return Split(tuple(parts.names[cut] for cut in cuts[1:-1]), tuple(range(num_stages)), 1.0)


@dataclass(frozen=True)
class _Parts:
    """Modules that run one after the other; a stage can begin with each."""

    known: tuple[str, ...]
    nodes: Int64[np.ndarray, " node"]
    """What is computed, in order."""
    starts: Int64[np.ndarray, " part"]
    """Where in `nodes` each part begins, the first one at 0."""
    names: tuple[str, ...]


def _parts(module: torch.nn.Module, graph: Graph) -> _Parts:
    # lists of modules are never called, so nothing begins with them
    lists = torch.nn.ModuleList | torch.nn.ModuleDict
    known = tuple(name for name, one in module.named_modules() if not isinstance(one, lists))
    nodes = np.flatnonzero(~graph.is_stored)
    owned = module_nodes(graph, known)
    owner = [owned.owner[node] for node in nodes]
    starts: dict[int, str] = {}
    for name in sorted(filter(None, known), key=lambda name: name.count(".")):
        own = [k for k, one in enumerate(owner) if one == name or one.startswith(f"{name}.")]
        # a module that is called twice does not begin once
        if own and own[-1] - own[0] + 1 == len(own):
            starts.setdefault(own[0], name)
    starts.setdefault(0, "")
    places = sorted(starts)
    return _Parts(known, nodes, np.array(places), tuple(starts[place] for place in places))


def _most_agreeing(inside: Float64[np.ndarray, "stage part"]) -> tuple[list[int], float]:
    """Where the stages after the first begin so that the sum of what is inside is the most, and that sum."""
    num_stages, num_parts = inside.shape
    total = np.concatenate([np.zeros((num_stages, 1)), np.cumsum(inside, axis=1)], axis=1)
    best = np.full((num_stages + 1, num_parts + 1), -np.inf)
    best[0, 0] = 0.0
    came_from = np.zeros((num_stages + 1, num_parts + 1), np.int64)
    for stage in range(num_stages):
        for end in range(stage + 1, num_parts + 1):
            gained = best[stage, :end] + total[stage, end] - total[stage, :end]
            came_from[stage + 1, end] = gained.argmax()
            best[stage + 1, end] = gained.max()
    cuts, end = [], num_parts
    for stage in range(num_stages, 1, -1):
        end = int(came_from[stage, end])
        cuts.append(end)
    return cuts[::-1], float(best[num_stages, num_parts])


def _sent_us(problem: Problem, nodes: Int64[np.ndarray, " node"]) -> Float64[np.ndarray, " place"]:
    """Time to send what is made before and read after each place between nodes."""
    graph = problem.graph
    place = np.full(graph.num_nodes, -1)
    place[nodes] = np.arange(len(nodes))
    last = np.full(graph.num_nodes, -1)
    np.maximum.at(last, graph.edges[:, 0], place[graph.edges[:, 1]])
    change = np.zeros(len(nodes) + 2)
    for node in nodes[last[nodes] > place[nodes]]:
        change[place[node] + 1] += graph.output_bytes[node]
        change[last[node] + 1] -= graph.output_bytes[node]
    alive = np.cumsum(change)[: len(nodes) + 1]
    sending = len(problem.machine.devices) > 1
    return np.array([float(problem.transfer_us(0, 1, b)) if b > 0 and sending else 0.0 for b in alive])
