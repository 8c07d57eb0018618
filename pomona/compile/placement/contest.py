"""The contest of a placement: every method makes a plan, the simulator judges, the best that fits wins."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.compile.placement.default_policies import completed
from pomona.compile.placement.methods import METHODS, QUICK
from pomona.compile.placement.plan import Plan, read_plan, write_plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.settings import PlaceSettings
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.errors import unknown_name
from pomona.foundation.run import Run

SAVED_EVERY_S = 5.0
"""While a search goes on, its best plan is kept this often."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A plan and what it is worth."""

    plan: Plan
    step_us: float
    peak_bytes: tuple[float, ...]
    is_valid: bool
    seconds: float
    """Of work until the plan was there."""
    history: tuple[tuple[float, int, float], ...] = ()
    """(seconds, evaluations, step_us) at each improvement of a search."""


def contest(problem: Problem, settings: PlaceSettings, start: Plan | None, *, run: Run) -> dict[str, Entry]:
    """Name → entry, each kept in the run as soon as it is there; searches begin with the best plan so far."""
    names = chosen_methods(settings)
    entries: dict[str, Entry] = {}
    if start is not None:
        entries["start"] = _judged(problem, start, 0.0)
    with run.progress("methods", len(names)) as bar:
        for name in names:
            entries[name] = _kept(run, name) or _made(problem, settings, name, entries, run=run)
            bar.advance()
            run.check_interrupt()
    return entries


def chosen_methods(settings: PlaceSettings) -> list[str]:
    """The methods by name, quick ones first. Raises SettingError for one that is none."""
    if settings.methods == "all":
        return [*QUICK, *(["guided"] if settings.seconds > 0 else [])]
    names = [name.strip() for name in settings.methods.split(",") if name.strip()]
    for name in names:
        if name not in QUICK and name not in METHODS:
            raise unknown_name("method", name, [*QUICK, *METHODS])
    return sorted(dict.fromkeys(names), key=lambda name: name not in QUICK)


def best_of(entries: Mapping[str, Entry]) -> str | None:
    """The method whose plan is the quickest of those that fit; None when none fits."""
    fitting = [name for name, entry in entries.items() if entry.is_valid]
    return min(fitting, key=lambda name: entries[name].step_us, default=None)


def _made(
    problem: Problem, settings: PlaceSettings, name: str, entries: Mapping[str, Entry], *, run: Run
) -> Entry:
    generator = run.generator("place", name)
    started = time.monotonic()
    if name in QUICK:
        plan = completed(problem, QUICK[name](problem, generator), settings.decided)
        entry = _judged(problem, plan, time.monotonic() - started)
    else:
        entry = _searched(problem, settings, name, entries, run=run, generator=generator)
    _keep(run, name, entry)
    return entry


def _searched(
    problem: Problem,
    settings: PlaceSettings,
    name: str,
    entries: Mapping[str, Entry],
    *,
    run: Run,
    generator: np.random.Generator,
) -> Entry:
    """A search that goes on from what an interrupted one kept."""
    before = _kept(run, f"{name}-unfinished")
    spent = before.seconds if before else 0.0
    rivals = {**entries, **({"before": before} if before else {})}
    best = best_of(rivals)
    start = None if best is None else rivals[best].plan
    keeper = _Keeper(problem, run, f"{name}-unfinished", spent, before.history if before else ())
    found = METHODS[name](
        problem,
        start,
        settings.decided,
        seconds=max(settings.seconds - spent, 0.0),
        generator=generator,
        on_best=keeper,
        should_stop=run.should_stop,
    )
    history = (*keeper.earlier, *((spent + s, n, step) for s, n, step in found.history))
    entry = _judged(problem, found.plan, spent + found.seconds, history)
    if run.stop_reason == "interrupt":
        _keep(run, f"{name}-unfinished", entry)
        run.check_interrupt()
    return entry


class _Keeper:
    """Keeps the best plan of a search that may be stopped at any time."""

    def __init__(self, problem: Problem, run: Run, name: str, spent: float, earlier: tuple):
        self.problem, self.run, self.name, self.spent, self.earlier = problem, run, name, spent, earlier
        self.started = self.saved = time.monotonic()

    def __call__(self, plan: Plan, step_us: float) -> None:
        now = time.monotonic()
        if now - self.saved >= SAVED_EVERY_S:
            self.saved = now
            seconds = self.spent + now - self.started
            history = (*self.earlier, (seconds, 0, step_us))
            _keep(self.run, self.name, _judged(self.problem, plan, seconds, history))


def _judged(problem: Problem, plan: Plan, seconds: float, history: Any = ()) -> Entry:
    scores = evaluate(problem, plan.device[None], plan.priority[None], plan.cluster[None])
    peak = tuple(scores.peak_bytes[0].tolist())
    return Entry(plan, float(scores.step_us[0]), peak, bool(scores.is_valid[0]), seconds, tuple(history))


def _keep(run: Run, name: str, entry: Entry) -> None:
    write_plan(entry.plan, run.path("plans", f"{name}.json"))
    numbers = {"step_us": entry.step_us, "peak_bytes": entry.peak_bytes, "is_valid": entry.is_valid}
    run.save(f"plan-{name}", {**numbers, "seconds": entry.seconds, "history": entry.history})


def _kept(run: Run, name: str) -> Entry | None:
    numbers = run.restore(f"plan-{name}")
    if numbers is None:
        return None
    history = tuple((float(s), int(n), float(step)) for s, n, step in numbers["history"])
    return Entry(
        read_plan(run.path("plans", f"{name}.json")),
        numbers["step_us"],
        tuple(numbers["peak_bytes"]),
        numbers["is_valid"],
        numbers["seconds"],
        history,
    )
