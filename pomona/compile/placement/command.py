"""`place` as a command: a graph and a machine in, the best plan that any method found out."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pomona.compile.placement.contest import Entry, best_of, chosen_methods, contest
from pomona.compile.placement.graph import Graph
from pomona.compile.placement.machine.machine import Machine
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import Plan, check_plan, plan_json, read_plan
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.sections import write_place_sections
from pomona.compile.placement.settings import PlaceSettings
from pomona.compile.placement.simulator.bounds import Bounds, bounds
from pomona.compile.placement.simulator.timeline import simulate
from pomona.compile.placement.subject import capture_of
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.console import Console
from pomona.foundation.errors import InputError, SettingError
from pomona.foundation.files import write_json
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run

if TYPE_CHECKING:
    from pomona.compile.placement.capture.fx_graph import Captured

PLAN = "plan.json"


def place(graph: str | Path | Graph, **keywords: Any) -> dict[str, Any]:
    """Where, when and with what each operation of a graph should run: the same as `pomona place`.

    `graph` is a Graph or what the command takes; keywords are the fields of PlaceSettings and CommandOptions.
    Returns what `--json` prints. Raises InputError when something is wrong, as when the graph needs more
    memory than the machine has.

    >>> place("inception", devices="4", seconds=10)["chosen"]["by"]  # doctest: +SKIP
    'guided'
    """
    settings, options = split_keywords(keywords, PlaceSettings, CommandOptions)
    return place_command(graph if isinstance(graph, Graph) else str(graph), settings, options=options)


def place_command(
    subject: str | Graph, settings: PlaceSettings, *, options: CommandOptions
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    chosen_methods(settings)
    captured = subject if isinstance(subject, Graph) else _captured(subject, settings)
    graph = captured if isinstance(captured, Graph) else captured.graph
    machine = _machine(settings, captured, quiet=options.quiet)
    problem = problem_of(graph, machine)
    limits = bounds(problem, can_fuse="fusion" in settings.decided)
    _check_memory(problem, limits)
    start = None if settings.start is None else read_plan(Path(settings.start))
    if start is not None:
        check_plan(start, problem)
    identity = {**asdict(settings), "graph": _content(graph), "machine": repr(machine)}

    def method(run: Run) -> dict[str, Any]:
        return _result(problem, settings, limits, start, run=run)

    return carry_out(method, verb="place", subject=graph.name, identity=identity, options=options)


def _result(
    problem: Problem, settings: PlaceSettings, limits: Bounds, start: Plan | None, *, run: Run
) -> dict[str, Any]:
    began = time.monotonic()
    entries = contest(problem, settings, start, run=run)
    by = best_of(entries)
    shown = by or min(entries, key=lambda name: max(entries[name].peak_bytes))
    step = simulate(problem, entries[shown].plan)
    write_json(run.folder / PLAN, _plan(problem, by, entries[shown]))
    write_place_sections(run.folder, problem, entries, shown, step, limits)
    write_report(run.folder)
    return {
        "nodes": problem.graph.num_nodes,
        "devices": len(problem.machine.devices),
        "lower_bound_ms": limits.lower_us / 1e3,
        "plans": {
            name: {
                "step_ms": entry.step_us / 1e3,
                "peak_memory_bytes": max(entry.peak_bytes),
                "valid": entry.is_valid,
            }
            for name, entry in entries.items()
        },
        "chosen": _chosen(by, entries, limits),
        "seconds": time.monotonic() - began,
        "plan": PLAN,
        "report": "report.html",
    }


def _chosen(by: str | None, entries: Mapping[str, Entry], limits: Bounds) -> dict[str, Any]:
    if by is None:
        return {"by": None, "step_ms": None, "gap_to_bound": None}
    step_us = entries[by].step_us
    return {"by": by, "step_ms": step_us / 1e3, "gap_to_bound": max(step_us / limits.lower_us - 1, 0.0)}


def _plan(problem: Problem, by: str | None, entry: Entry) -> dict[str, Any]:
    """The plan with what it was made for; `read_plan` reads it."""
    graph, machine = problem.graph, problem.machine
    return {
        "graph": graph.name,
        "machine": machine.name,
        "by": by,
        "step_ms": entry.step_us / 1e3,
        "valid": entry.is_valid,
        "devices": [device.name for device in machine.devices],
        "labels": graph.labels,
        **plan_json(entry.plan),
    }


def _captured(subject: str, settings: PlaceSettings) -> "Graph | Captured":
    return capture_of(subject, training=settings.training, batch=settings.batch, sizes=settings.sizes_by_axis)


def _machine(settings: PlaceSettings, captured: "Graph | Captured", *, quiet: bool) -> Machine:
    memory_bytes = None if settings.memory_gb is None else settings.memory_gb * 1e9
    if not settings.profile:
        return machine_of(settings.devices, memory_bytes)
    if not settings.devices.isdigit():
        raise SettingError(
            f"--profile measures this machine: --devices is a number of its cores, got {settings.devices!r}"
        )
    from pomona.compile.placement.machine.profile import profile_machine

    console = Console(quiet=quiet)
    with console.progress("timing operations", None, "operations") as bar:
        profile = profile_machine(
            int(settings.devices),
            captured=() if isinstance(captured, Graph) else (captured,),
            memory_bytes=memory_bytes,
            on_progress=lambda *_: bar.advance(),
        )
    fit = profile.fit
    console.line(
        f"costs fitted to {fit.num_fitted} operations; for others typically {100 * fit.median_error:.3g} % "
        f"off, for the sum of their times {100 * fit.total_error:+.3g} %"
    )
    return profile.machine


def _check_memory(problem: Problem, limits: Bounds) -> None:
    there = float(problem.memory_bytes.sum())
    if limits.memory_bytes > there:
        raise InputError(
            f"{problem.graph.name} needs at least {limits.memory_bytes / 1e9:.3g} GB, the devices of "
            f"{problem.machine.name} have {there / 1e9:.3g} GB together: give more devices or --memory-gb"
        )


def _content(graph: Graph) -> str:
    """A fingerprint of all that a graph holds."""
    digest = hashlib.sha256(repr((graph.name, graph.op_names, graph.labels)).encode())
    for field in fields(graph):
        value = getattr(graph, field.name)
        if isinstance(value, np.ndarray):
            digest.update(value.tobytes())
    return digest.hexdigest()
