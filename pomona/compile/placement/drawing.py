"""A step as bars on lanes: what each device and each link does, coarse enough to be looked at."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.timeline import Timeline
from pomona.foundation.report import span, timeline

MOST_BARS = 160
"""In a lane; shorter ones that follow each other are drawn as one."""

MOST_KINDS = 6
"""Operations with a colour of their own, those that take most time; transfers and the rest have one each."""

REST, TRANSFER = "other operations", "transfer"


@dataclass
class Bar:
    """Work without a pause worth seeing."""

    start: float
    end: float
    busy: dict[str, float]  # kind → time
    is_critical: bool
    count: int = 1
    name: str = ""

    @property
    def kind(self) -> str:
        return max(self.busy, key=lambda kind: self.busy[kind])


def step_timeline(problem: Problem, plan: Plan, step: Timeline) -> dict:
    """The item of a report that shows a step; the chain that the step waits for is outlined."""
    scale = 1e3 if step.step_us >= 1e3 else 1.0
    kinds = _kinds(problem, plan)
    spans = []
    for place, device in enumerate(problem.machine.devices):
        bars = _joined(_operations(problem, plan, step, place, kinds), step.step_us)
        spans += [_span(device.name, bar, scale) for bar in bars]
    links = sorted({int(link) for link in step.moves.link})
    for link in links:
        bars = _joined(_transfers(problem, step, link), step.step_us)
        spans += [_span(problem.machine.links[link].name, bar, scale) for bar in bars]
    lanes = [device.name for device in problem.machine.devices]
    lanes += [problem.machine.links[link].name for link in links]
    return timeline(
        lanes,
        spans,
        "ms" if scale > 1 else "µs",
        caption="Devices, then links. Outlined: the chain of work that the step waits for.",
    )


def _kinds(problem: Problem, plan: Plan) -> list[str]:
    """A kind for every node."""
    graph = problem.graph
    spent = np.zeros(len(graph.op_names))
    np.add.at(spent, graph.op, problem.run_us[plan.device, np.arange(graph.num_nodes)])
    shown = {graph.op_names[op] for op in np.argsort(-spent, kind="stable")[:MOST_KINDS] if spent[op] > 0}
    return [name if name in shown else REST for name in (graph.op_names[op] for op in graph.op.tolist())]


def _operations(problem: Problem, plan: Plan, step: Timeline, place: int, kinds: list[str]) -> Iterator[Bar]:
    """The clusters of a device in order of time."""
    members: dict[int, list[int]] = {}
    for node in np.flatnonzero(plan.device == place).tolist():
        members.setdefault(int(plan.cluster[node]), []).append(node)
    firsts = sorted(members, key=lambda first: (step.start_us[first], step.end_us[first]))
    for first in firsts:
        nodes = members[first]
        start, end = float(step.start_us[first]), float(step.end_us[first])
        if end > start:
            longest = max(nodes, key=lambda node: problem.run_us[place, node])
            label = problem.graph.labels[longest]
            name = label if len(nodes) == 1 else f"{label} and {len(nodes) - 1} more, fused"
            yield Bar(start, end, {kinds[longest]: end - start}, bool(step.is_critical[first]), name=name)


def _transfers(problem: Problem, step: Timeline, link: int) -> Iterator[Bar]:
    moves = step.moves
    found = np.flatnonzero(moves.link == link)
    for move in found[np.argsort(moves.start_us[found], kind="stable")].tolist():
        start, end = float(moves.start_us[move]), float(moves.end_us[move])
        label = problem.graph.labels[moves.node[move]]
        to = problem.machine.devices[moves.to_device[move]].name
        name = f"{label} to {to}, {moves.size_bytes[move] / 1e6:.3g} MB"
        yield Bar(start, end, {TRANSFER: end - start}, bool(step.is_critical_move[move]), name=name)


def _joined(bars: Iterator[Bar], step_us: float) -> list[Bar]:
    """The bars, neighbours joined until there are few enough."""
    joined = list(bars)
    width = step_us / (8 * MOST_BARS)
    while len(joined) > MOST_BARS:
        kept: list[Bar] = []
        for bar in joined:
            last = kept[-1] if kept else None
            is_near = last is not None and bar.start - last.end <= width
            if last is not None and is_near and min(bar.end - bar.start, last.end - last.start) <= 8 * width:
                kept[-1] = _one(last, bar)
            else:
                kept.append(bar)
        joined, width = kept, 2 * width
    return joined


def _one(first: Bar, second: Bar) -> Bar:
    busy = dict(first.busy)
    for kind, time in second.busy.items():
        busy[kind] = busy.get(kind, 0.0) + time
    is_critical = first.is_critical or second.is_critical
    name = first.name.split(" … ")[0] + " … " + second.name.split(" … ")[-1]
    end = max(first.end, second.end)
    return Bar(first.start, end, busy, is_critical, first.count + second.count, name)


def _span(lane: str, bar: Bar, scale: float) -> dict:
    name = bar.name if bar.count == 1 else f"{bar.count} in a row: {bar.name}"
    start, end = bar.start / scale, bar.end / scale
    return span(lane, start, end, name, group=bar.kind, is_stressed=bar.is_critical)
