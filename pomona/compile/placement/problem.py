"""A graph on a machine: how long each node takes on each device, and neighbours in a form for fast loops."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from pomona.compile.placement.graph import Graph
from pomona.compile.placement.machine.machine import Machine


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The neighbours of node i are `nodes[starts[i]:starts[i + 1]]`, in rising order."""

    starts: Int64[np.ndarray, " bound"]
    nodes: Int32[np.ndarray, " edge"]

    def of(self, node: int) -> Int32[np.ndarray, " neighbour"]:
        return self.nodes[self.starts[node] : self.starts[node + 1]]


@dataclass(frozen=True, eq=False)
class Problem:
    """Made by `problem_of`. Times are microseconds."""

    graph: Graph
    machine: Machine
    run_us: Float64[np.ndarray, "device node"]
    """max(FLOPs / (FLOP/s · efficiency), traffic / bandwidth) + launch; 0 for free and stored nodes."""
    sources_of: Neighbours
    consumers_of: Neighbours
    routes: Int32[np.ndarray, "device device"]
    """The link from one device to another, -1 on the diagonal."""
    link_latency_us: Float64[np.ndarray, " link"]
    link_bytes_per_us: Float64[np.ndarray, " link"]
    link_is_shared: Bool[np.ndarray, " link"]
    memory_bytes: Float64[np.ndarray, " device"]

    @property
    def num_devices(self) -> int:
        return len(self.machine.devices)

    def transfer_us(self, from_device: int, to_device: int, size_bytes: float) -> float:
        """The time of one transfer on an idle link; 0 within a device."""
        if from_device == to_device:
            return 0.0
        link = self.routes[from_device, to_device]
        return float(self.link_latency_us[link] + size_bytes / self.link_bytes_per_us[link])


def problem_of(graph: Graph, machine: Machine) -> Problem:
    """The costs of a graph on a machine by the roofline rule."""
    links = machine.links
    return Problem(
        graph=graph,
        machine=machine,
        run_us=np.stack([_run_us(graph, device) for device in machine.devices]),
        sources_of=_neighbours(graph.edges[:, 1], graph.edges[:, 0], graph.num_nodes),
        consumers_of=_neighbours(graph.edges[:, 0], graph.edges[:, 1], graph.num_nodes),
        routes=np.array(machine.routes, np.int32),
        link_latency_us=np.array([link.latency_us for link in links], np.float64),
        link_bytes_per_us=np.array([link.bytes_per_s / 1e6 for link in links], np.float64),
        link_is_shared=np.array([link.mode == "shared" for link in links], np.bool_),
        memory_bytes=np.array([device.memory_bytes for device in machine.devices], np.float64),
    )


def _run_us(graph: Graph, device) -> Float64[np.ndarray, " node"]:
    efficiency = np.array([device.efficiency.get(name, 1.0) for name in graph.op_names])[graph.op]
    calculate_s = graph.flops / (device.flops_per_s * efficiency)
    move_s = graph.traffic_bytes / device.bytes_per_s
    run_us = np.maximum(calculate_s, move_s) * 1e6 + device.launch_us
    return np.where(graph.is_free | graph.is_stored, 0.0, run_us)


def _neighbours(keys: np.ndarray, values: np.ndarray, num_nodes: int) -> Neighbours:
    by_key = np.lexsort((values, keys))
    starts = np.zeros(num_nodes + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=num_nodes), out=starts[1:])
    return Neighbours(starts, np.ascontiguousarray(values[by_key], dtype=np.int32))
