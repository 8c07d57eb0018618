"""A plan: where each operation runs, what goes first, what runs as one; and what a search found."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int, Int32

from pomona.compile.placement.problem import Problem
from pomona.foundation.errors import DataError, InputError
from pomona.foundation.files import write_json


@dataclass(frozen=True, eq=False)
class Plan:
    """Decisions for every node of a graph. Arrays are read-only after making.

    The highest priority among the ready operations of a device runs first, ties by index. Nodes of one
    cluster run as one operation; its number is the least index among them, so `arange`
    means that nothing is fused.
    """

    device: Int32[np.ndarray, " node"]
    priority: Float64[np.ndarray, " node"]
    cluster: Int32[np.ndarray, " node"]

    def __post_init__(self) -> None:
        for field, dtype in (("device", np.int32), ("priority", np.float64), ("cluster", np.int32)):
            array = np.ascontiguousarray(getattr(self, field), dtype=dtype).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        if not (self.device.shape == self.priority.shape == self.cluster.shape) or self.device.ndim != 1:
            raise InputError(
                f"a plan has one device, priority and cluster a node, got shapes {self.device.shape}, "
                f"{self.priority.shape} and {self.cluster.shape}: make the three of equal length"
            )


@dataclass(frozen=True, eq=False)
class Found:
    """What a search or a policy came to."""

    plan: Plan
    step_us: float
    evaluations: int
    seconds: float
    history: list[tuple[float, int, float]]
    """(seconds, evaluations, step_us) at each improvement."""


def default_plan(problem: Problem, device: Int[np.ndarray, " node"]) -> Plan:
    """Program order on the given devices with nothing fused: what frameworks do when nobody tells them."""
    nodes = np.arange(problem.graph.num_nodes)
    return Plan(np.asarray(device, np.int32), -nodes.astype(np.float64), nodes.astype(np.int32))


def check_plan(plan: Plan, problem: Problem) -> None:
    """Raises InputError where the plan is none for this problem: sizes, devices, groups, clusters."""
    graph, num_devices = problem.graph, len(problem.machine.devices)
    if len(plan.device) != graph.num_nodes:
        raise InputError(
            f"graph {graph.name!r} has {graph.num_nodes} nodes, the plan {len(plan.device)}: "
            "use a plan that was made for this graph"
        )
    if plan.device.min() < 0 or plan.device.max() >= num_devices:
        raise InputError(f"the plan names device {plan.device.max()}, the machine has {num_devices}")
    for numbers, what in (
        (graph.groups, "a group that must stay together"),
        (plan.cluster, "a fused cluster"),
    ):
        _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
        apart = np.flatnonzero(plan.device != plan.device[first][inverse])
        if len(apart):
            label = graph.labels[apart[0]]
            raise InputError(
                f"the plan splits {what} over devices at {label!r}: give all its nodes one device"
            )
    if np.any(plan.cluster != first[inverse]):
        raise InputError(
            "a cluster's number must be the least index of its nodes: use `fuse` to make clusters"
        )


def write_plan(plan: Plan, path: Path) -> None:
    """Writes the plan as JSON."""
    write_json(path, plan_json(plan))


def plan_json(plan: Plan) -> dict[str, list]:
    """The plan as lists; floats keep every digit."""
    return {
        "device": plan.device.tolist(),
        "priority": plan.priority.tolist(),
        "cluster": plan.cluster.tolist(),
    }


def read_plan(path: Path) -> Plan:
    """The plan in a JSON file. Raises DataError when there is none."""
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        return Plan(*(np.asarray(values[field]) for field in ("device", "priority", "cluster")))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the plan {path}: {error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} should be a plan, a JSON object with device, priority and cluster of equal length, "
            f"but is not: {error}"
        ) from error
