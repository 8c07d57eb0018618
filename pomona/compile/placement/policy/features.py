"""What the policy sees of a problem: numbers without units, so that graphs and machines look alike.

Nothing depends on a node's number, only on its place in the graph: nodes may be numbered in any order.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from pomona.compile.placement.graph import Graph
from pomona.compile.placement.op_names import OP_NAMES
from pomona.compile.placement.policy.levels import Levels, levels_of
from pomona.compile.placement.policy.units import Units, units_of
from pomona.compile.placement.problem import Problem

NUM_NODE_FEATURES = 19
NUM_UNIT_FEATURES = 8
NUM_DEVICE_FEATURES = 14
NUM_PAIR_FEATURES = 6
NUM_OP_SLOTS = 128
"""Room for op names that may be added to the house's vocabulary."""


@dataclass(frozen=True, eq=False)
class Features:
    """A problem as the network takes it. Units come in the order of their mean place in the step."""

    op: Int64[np.ndarray, " node"]
    node: Float32[np.ndarray, "node feature"]
    unit: Float32[np.ndarray, "unit feature"]
    device: Float32[np.ndarray, "device feature"]
    pair: Float32[np.ndarray, "unit device feature"]
    base: Int64[np.ndarray, " unit"]
    """Where the base placement has each unit."""
    edges: Int64[np.ndarray, "edge 2"]
    unit_of_node: Int64[np.ndarray, " node"]
    can_hold: Bool[np.ndarray, "unit device"]
    """A device is masked for a unit whose weights alone exceed its memory, unless that leaves none."""
    levels: Levels
    merge_order: Float64[np.ndarray, " node"]
    """The rank of each node's output among all, 0 the smallest, 1 the largest: what fusion begins with."""
    by_program: bool = False
    """Scheduling begins with the program's order, else with longest paths: what suits the base better."""
    fuses: bool = True
    """Units on the middle level of fusion are merged into their consumers: whether that suits the base."""

    @property
    def num_units(self) -> int:
        return len(self.unit)


def features_of(problem: Problem, max_units: int, base: Int32[np.ndarray, " node"]) -> Features:
    """The features of a problem, beside a base placement that the policy sees and may change.

    The merging of units is described in units.py.
    """
    levels = levels_of(problem)
    units = _by_place(units_of(problem, levels, max_units, base), levels)
    base_of_unit = np.zeros(units.count, np.int64)
    base_of_unit[units.of_node] = base
    graph = problem.graph
    slot_of = {name: index for index, name in enumerate(OP_NAMES)}
    slots = np.array([slot_of.get(name, slot_of["other"]) for name in graph.op_names], np.int64)
    return Features(
        op=slots[graph.op],
        node=_node_features(problem, levels),
        unit=_unit_features(problem, levels, units),
        device=_device_features(problem),
        pair=_pair_features(problem, levels, units, base_of_unit),
        base=base_of_unit,
        edges=graph.edges.astype(np.int64),
        unit_of_node=units.of_node.astype(np.int64),
        can_hold=_can_hold(problem, units),
        levels=levels,
        merge_order=_merge_order(graph),
    )


def neighbours_of(features: Features) -> list[Int64[np.ndarray, " neighbour"]]:
    """The units that share an edge with each unit, in rising order."""
    ends = features.unit_of_node[features.edges]
    ends = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    ends = ends[ends[:, 0] != ends[:, 1]]
    starts = np.searchsorted(ends[:, 0], np.arange(features.num_units + 1))
    return [ends[a:b, 1] for a, b in itertools.pairwise(starts)]


def stored_bytes(problem: Problem) -> Float64[np.ndarray, " node"]:
    """What a node keeps on its device for the whole step."""
    graph = problem.graph
    return graph.resident_bytes + np.where(graph.is_stored, graph.output_bytes, 0.0)


def _merge_order(graph: Graph) -> np.ndarray:
    rank = np.argsort(np.argsort(graph.output_bytes, kind="stable"), kind="stable")
    return rank / max(len(rank) - 1, 1)


def _by_place(units: Units, levels: Levels) -> Units:
    weight = levels.run_us + 1e-3
    place = units.total(weight * (levels.top_us - levels.bottom_us)) / units.total(weight)
    rank = np.empty(units.count, np.int32)
    rank[np.argsort(place, kind="stable")] = np.arange(units.count, dtype=np.int32)
    return Units(rank[units.of_node], units.count)


def _node_features(problem: Problem, levels: Levels) -> np.ndarray:
    graph = problem.graph
    mean_us = max(levels.run_us.mean(), 1e-9)
    path_us = max((levels.top_us + levels.bottom_us).max(), 1e-9)
    memory = problem.memory_bytes.min()
    out_degree = np.diff(problem.consumers_of.starts)
    in_degree = np.diff(problem.sources_of.starts)
    columns = [
        np.log1p(levels.run_us / mean_us),
        np.log1p(levels.output_us / mean_us),
        np.log10(graph.output_bytes + 1) / 10,
        np.log10(graph.flops + 1) / 12,
        np.log10(graph.traffic_bytes + 1) / 10,
        np.log1p(100 * stored_bytes(problem) / memory),
        np.log1p(100 * graph.output_bytes / memory),
        levels.top_us / path_us,
        levels.bottom_us / path_us,
        1 - (levels.top_us + levels.bottom_us) / path_us,
        work_before(levels),
        np.log1p(in_degree),
        np.log1p(out_degree),
        graph.is_stored,
        graph.is_free,
        *(np.log1p(graph.shapes[:, axis]) / 10 for axis in range(4)),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def work_before(levels: Levels) -> np.ndarray:
    """The share of all work in nodes that can start earlier: where a pipeline of equal parts would be cut."""
    order = np.argsort(levels.top_us, kind="stable")
    times = levels.top_us[order]
    before = np.concatenate([[0.0], np.cumsum(levels.run_us[order])])
    first = np.searchsorted(times, levels.top_us, side="left")
    last = np.searchsorted(times, levels.top_us, side="right")
    return (before[first] + before[last]) / 2 / max(before[-1], 1e-9)


def _unit_features(problem: Problem, levels: Levels, units: Units) -> np.ndarray:
    graph, count = problem.graph, units.count
    work = units.total(levels.run_us)
    source, target = units.of_node[graph.edges[:, 0]], units.of_node[graph.edges[:, 1]]
    crossing = np.where(source != target, levels.output_us[graph.edges[:, 0]], 0.0)
    sent = np.bincount(source, crossing, count)
    received = np.bincount(target, crossing, count)
    mean_us = max(work.mean(), 1e-9)
    weight = levels.run_us + 1e-3
    path_us = max((levels.top_us + levels.bottom_us).max(), 1e-9)
    columns = [
        np.log1p(work / mean_us),
        np.log1p(sent / mean_us),
        np.log1p(received / mean_us),
        np.log1p(100 * units.total(stored_bytes(problem)) / problem.memory_bytes.mean()),
        np.log1p(100 * units.total(graph.output_bytes) / problem.memory_bytes.mean()),
        units.total(weight * work_before(levels)) / units.total(weight),
        units.total(weight * levels.bottom_us) / units.total(weight) / path_us,
        np.log1p(units.total(np.ones(graph.num_nodes))) / 5,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _pair_features(problem: Problem, levels: Levels, units: Units, base: np.ndarray) -> np.ndarray:
    """For each unit and device in the base placement: is it there, what of its inputs and outputs is there
    (as shares, and beside its work), how full of work and of memory the device is.
    """
    edges, num = problem.graph.edges, problem.num_devices
    source, target = units.of_node[edges[:, 0]].astype(np.int64), units.of_node[edges[:, 1]].astype(np.int64)
    cost = np.where(source != target, levels.output_us[edges[:, 0]], 0.0)
    size = units.count * num
    received = np.bincount(target * num + base[source], cost, size).reshape(units.count, num)
    sent = np.bincount(source * num + base[target], cost, size).reshape(units.count, num)
    work = units.total(levels.run_us)
    load = np.bincount(base, work, num) * num / max(work.sum(), 1e-9)
    memory = np.bincount(base, units.total(stored_bytes(problem)), num) / problem.memory_bytes
    columns = [
        np.arange(num)[None, :] == base[:, None],
        received / np.maximum(received.sum(axis=1, keepdims=True), 1e-9),
        sent / np.maximum(sent.sum(axis=1, keepdims=True), 1e-9),
        np.log1p((received + sent) / (work[:, None] + levels.run_us.mean())),
        np.broadcast_to(load, (units.count, num)),
        np.broadcast_to(memory, (units.count, num)),
    ]
    return np.stack(columns, axis=2).astype(np.float32)


def _device_features(problem: Problem) -> np.ndarray:
    """Speed, bandwidth and memory beside the mean device's, and the place among the devices as waves."""
    devices = problem.machine.devices
    num = len(devices)
    constants = np.array(
        [[d.flops_per_s, d.bytes_per_s, d.memory_bytes, d.launch_us + 1e-3] for d in devices], np.float64
    )
    relative = np.log(constants / np.exp(np.log(constants).mean(axis=0)))
    place = (np.arange(num) + 0.5) / num
    waves = [f(np.pi * k * place) for k in (1, 2, 4, 8) for f in (np.cos, np.sin)]
    total = np.full(num, np.log2(num) / 3)
    return np.column_stack([relative, place, *waves, total]).astype(np.float32)


def _can_hold(problem: Problem, units: Units) -> np.ndarray:
    fits = units.total(stored_bytes(problem))[:, None] <= problem.memory_bytes[None, :]
    return np.where(fits.any(axis=1, keepdims=True), fits, True)
