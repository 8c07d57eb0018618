"""The report of a placement: which plan won, when everything runs, what crosses, what memory it takes."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.placement.contest import Entry
from pomona.compile.placement.drawing import step_timeline
from pomona.compile.placement.methods import QUICK
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.bounds import Bounds
from pomona.compile.placement.simulator.timeline import Timeline
from pomona.foundation.report import line, number, numbers, series, table, write_section

MOST_ROWS = 20


def write_place_sections(
    folder: Path,
    problem: Problem,
    entries: Mapping[str, Entry],
    chosen: str,
    step: Timeline,
    bounds: Bounds,
) -> None:
    """Writes the sections of a run."""
    graph, machine = problem.graph, problem.machine
    title = f"{graph.name} on {machine.name}: {graph.num_nodes} nodes, {len(machine.devices)} devices"
    write_section(folder, 10, "plans", title, _plans(entries, chosen, step, bounds))
    plan = entries[chosen].plan
    write_section(folder, 20, "timeline", "A step", [step_timeline(problem, plan, step)])
    write_section(folder, 30, "memory", "Memory", _memory(problem, step))
    write_section(folder, 40, "transfers", "What crosses", _transfers(problem, step))
    write_section(folder, 50, "waits", "What the step waits for", _waits(problem, plan, step))
    searched = {name: entry for name, entry in entries.items() if len(entry.history) > 1}
    if searched:
        write_section(folder, 60, "search", "Search", [_convergence(searched)])


def _plans(entries: Mapping[str, Entry], chosen: str, step: Timeline, bounds: Bounds) -> list[dict[str, Any]]:
    others = (entries[name] for name in QUICK if name in entries and name != chosen)
    best = min((entry.step_us for entry in others if entry.is_valid), default=None)
    order = sorted(entries, key=lambda name: (not entries[name].is_valid, entries[name].step_us))
    rows = [
        [name, entries[name].step_us / 1e3, max(entries[name].peak_bytes), entries[name].is_valid,
         entries[name].step_us / bounds.lower_us - 1, entries[name].seconds]
        for name in order
    ]  # fmt: skip
    figures = [
        number("a step", step.step_us / 1e3, unit="ms", note=f"by {chosen}"),
        number("above the bound at most", step.step_us / bounds.lower_us - 1, format="percent",
               note="no plan can be faster than the bound; it may be out of reach"),
    ]  # fmt: skip
    if best is not None:
        share = 1 - step.step_us / best
        figures.insert(1, number("less than the best quick method", share, format="percent"))
    return [
        numbers(*figures),
        table(
            ["plan by", ("a step", "number", "ms"), ("most memory of a device", "bytes"), "fits",
             ("above the bound", "percent"), ("found in", "seconds")],
            rows, highlight=order.index(chosen),
            caption="A plan that does not fit needs more memory than a device has; it is never chosen.",
        ),
        table(
            ["bound", ("", "number", "ms")],
            [["longest chain of operations", bounds.critical_path_us / 1e3],
             ["all work over all devices", bounds.work_us / 1e3]],
        ),
    ]  # fmt: skip


def _memory(problem: Problem, step: Timeline) -> list[dict[str, Any]]:
    lines, rows = [], []
    for device, curve, peak in zip(problem.machine.devices, step.memory, step.peak_bytes, strict=True):
        times, used = _thinned(curve.time_us, curve.used_bytes)
        lines.append(series(device.name, times / 1e3, used, step=True))
        rows.append([device.name, float(peak), device.memory_bytes, float(peak) / device.memory_bytes])
    columns = ["device", ("peak", "bytes"), ("it has", "bytes"), ("used at the peak", "percent")]
    return [line(lines, "ms", "in use", y_format="bytes"), table(columns, rows)]


def _thinned(time_us: np.ndarray, used: np.ndarray, num_points: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """A curve of few points that keeps every peak: the most of each of equal stretches of changes."""
    if len(time_us) <= num_points:
        return time_us, used
    starts = np.linspace(0, len(time_us), num_points + 1).astype(int)
    best = [
        start + int(np.argmax(used[start:end])) for start, end in pairwise(starts.tolist()) if end > start
    ]
    return time_us[best], used[best]


def _transfers(problem: Problem, step: Timeline) -> list[dict[str, Any]]:
    moves, devices = step.moves, problem.machine.devices
    pairs: dict[tuple[int, int], list[float]] = {}
    for start, end, size in zip(
        moves.from_device.tolist(), moves.to_device.tolist(), moves.size_bytes.tolist(), strict=True
    ):
        found = pairs.setdefault((start, end), [0.0, 0.0])
        found[0] += 1
        found[1] += size
    rows = [
        [devices[start].name, devices[end].name, int(count), size]
        for (start, end), (count, size) in sorted(pairs.items())
    ]
    largest = np.argsort(-moves.size_bytes, kind="stable")[:MOST_ROWS]
    each = [
        [problem.graph.labels[moves.node[move]], devices[moves.from_device[move]].name,
         devices[moves.to_device[move]].name, float(moves.size_bytes[move]),
         float(moves.start_us[move] - moves.ready_us[move]) / 1e3,
         float(moves.end_us[move] - moves.start_us[move]) / 1e3]
        for move in largest.tolist()
    ]  # fmt: skip
    return [
        table(["from", "to", ("transfers", "integer"), ("in all", "bytes")], rows),
        table(["largest transfers", "from", "to", ("size", "bytes"), ("waited", "number", "ms"),
               ("took", "number", "ms")], each),
    ]  # fmt: skip


def _waits(problem: Problem, plan: Plan, step: Timeline) -> list[dict[str, Any]]:
    """The time on the chain, by kind of operation."""
    graph, moves = problem.graph, step.moves
    firsts = np.unique(plan.cluster[step.is_critical])
    spent: dict[str, list[float]] = {}
    for first in firsts.tolist():
        members = np.flatnonzero(plan.cluster == first)
        longest = members[np.argmax(problem.run_us[plan.device[first], members])]
        found = spent.setdefault(graph.op_names[graph.op[longest]], [0.0, 0.0])
        found[0] += 1
        found[1] += float(step.end_us[first] - step.start_us[first])
    crossing = step.is_critical_move
    if crossing.any():
        spent["transfers"] = [float(crossing.sum()), float((moves.end_us - moves.start_us)[crossing].sum())]
    rows = [
        [name, int(count), time / 1e3, time / step.step_us]
        for name, (count, time) in sorted(spent.items(), key=lambda item: -item[1][1])[:MOST_ROWS]
        if time > 0
    ]
    columns = ["on the chain", ("how many", "integer"), ("time", "number", "ms"), ("of the step", "percent")]
    return [table(columns, rows, caption="Only what is on this chain makes the step longer.")]


def _convergence(searched: Mapping[str, Entry]) -> dict[str, Any]:
    lines = [
        series(name, [second for second, _, _ in entry.history],
               [step / 1e3 for _, _, step in entry.history], step=True)
        for name, entry in searched.items()
    ]  # fmt: skip
    return line(lines, "seconds of search", "a step of the best plan so far, ms")
