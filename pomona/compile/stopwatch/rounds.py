"""Measuring all systems: quality first, then round after round in turn, each finished measurement kept."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pomona.compile.stopwatch.clock import Clock, MachineClock
from pomona.compile.stopwatch.drive import Load
from pomona.compile.stopwatch.loads import load_of, probe_of
from pomona.compile.stopwatch.measure import Measured, connected, measure
from pomona.compile.stopwatch.outcome import Outcome
from pomona.compile.stopwatch.peak import highest_rate
from pomona.compile.stopwatch.quality import reference_quality, system_quality
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.model import reference_session
from pomona.compile.stopwatch.systems.open import Opened
from pomona.compile.stopwatch.systems.system import System
from pomona.compile.stopwatch.timings import Timings
from pomona.compile.stopwatch.validity import bears
from pomona.export.quality import Quality, compared
from pomona.foundation.errors import GateError
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run

Found = dict[str, list[tuple[Measured, float | None]]]

STEP_DOWN = 0.95
MOST_STEPS_DOWN = 6


def outcomes(
    opened: Opened, settings: BenchSettings, scenario: Scenario, *, run: Run, clock: Clock | None = None
) -> list[Outcome]:
    """What was seen of each system. Raises Interrupted when the user stops it; finished rounds are kept."""
    taker = _Taker(opened, settings, scenario, run, clock or MachineClock())
    qualities = {system.name: taker.quality(system) for system in opened.systems}
    if scenario.name == "server" and settings.qps is None:
        found: Found = {system.name: [taker.at_highest_rate(system)] for system in opened.systems}
    else:
        found = {system.name: [] for system in opened.systems}
        for number in range(settings.rounds or 1):
            # there and back again, so that a machine that slows down favours nobody
            for system in opened.systems if number % 2 == 0 else reversed(opened.systems):
                load = taker.load(settings.qps, part=number)
                found[system.name].append((taker.kept(system, load, f"{number}"), settings.qps))
    return [_outcome(system, qualities[system.name], found[system.name]) for system in opened.systems]


@dataclass(frozen=True)
class _Taker:
    """Takes measurements within a run, each of them once."""

    opened: Opened
    settings: BenchSettings
    scenario: Scenario
    run: Run
    clock: Clock

    def load(self, rate: float | None, *, part: object) -> Load:
        """The load of a round."""
        return load_of(self.scenario, self.settings, rate=rate, seed=self.run.seed, part=part)

    def quality(self, system: System) -> Quality | None:
        """The accuracy run; None without labelled examples."""
        task, library = self.opened.task, system.library
        if task is None or not library.truth:
            return None
        values = self.run.decide("quality", system.name, lambda: self._quality_values(system))
        self.run.check_interrupt()
        target = self.settings.quality
        return compared(values["value"], values["reference"], task, target=target, examples=library.size)

    def kept(self, system: System, load: Load, key: str) -> Measured:
        """A measurement, from its file when it was made before."""
        path = self.run.path("measurements", f"{self.opened.systems.index(system)}-{key}.npz")
        if path.exists():
            return _read(path.read_bytes())
        # no bar: drawing it would take time from what is measured
        self.run.console.line(f"measuring {system.name} for {load.duration_s:.0f} s or more")
        taken = self._measure(system, load)
        write_bytes(path, _written(taken))
        return taken

    def at_highest_rate(self, system: System) -> tuple[Measured, float]:
        """A full measurement at the highest rate that was found, or at one a little below that is valid."""
        rate: float = self.run.decide("rate", system.name, lambda: self._search(system))
        taken = self.kept(system, self.load(rate, part=0), "0")
        for step in range(1, MOST_STEPS_DOWN):
            if bears(taken.timings, self.settings, self.scenario):
                break
            rate *= STEP_DOWN
            taken = self.kept(system, self.load(rate, part=step), f"{step}")
        return taken, rate

    def _measure(self, system: System, load: Load) -> Measured:
        taken = measure(
            system,
            load,
            self.clock,
            # all systems are asked for the same samples
            num_loaded=min(one.library.num_loaded for one in self.opened.systems),
            should_stop=self.run.should_stop,
        )
        self.run.check_interrupt()
        return taken

    def _search(self, system: System) -> float:
        load = self.load(1.0, part="probe")
        alone = self._measure(
            system, replace(load, rate=None, duration_s=load.duration_s / 20, min_queries=5)
        )
        if alone.query_ms > self.settings.latency_ms:
            raise GateError(
                f"{system.name} bears no rate at all: a query alone takes {alone.query_ms:.3g} ms, the bound "
                f"is {self.settings.latency_ms:g}: raise --latency-ms"
            )
        start = load.at_once / max(alone.query_ms, 1e-3) * 1000 / 2

        def is_borne(rate: float) -> bool:
            timings = self._measure(system, probe_of(load, self.scenario, self.settings, rate)).timings
            answer = bears(timings, self.settings, self.scenario)
            self.run.console.line(
                f"{system.name}: {rate:.4g} queries a second {'pass' if answer else 'fail'}"
            )
            return answer

        found = highest_rate(is_borne, start)
        if found is None:
            bound = self.settings.latency_ms
            raise GateError(f"{system.name} bears no rate at all within {bound:g} ms: raise --latency-ms")
        return found

    def _quality_values(self, system: System) -> dict[str, Any]:
        task, library = self.opened.task, system.library
        assert task is not None
        self.run.console.line(f"quality of {system.name} on {library.size} examples")
        session, samples = reference_session(self.opened.model, self.settings.reference, self.opened.library)
        with connected(system, 1) as connections:
            size = self.load(1.0, part=0).samples_per_query
            value = system_quality(connections[0], library, task, samples_per_query=size)
        reference = None if session is None else reference_quality(session, samples, task)
        return {"value": value, "reference": reference}


def _outcome(
    system: System, quality: Quality | None, found: Sequence[tuple[Measured, float | None]]
) -> Outcome:
    energies = [one.energy_j for one, _ in found]
    known = [energy for energy in energies if energy is not None]
    return Outcome(
        system.name,
        system.runtime,
        tuple(one.timings for one, _ in found),
        quality,
        sum(known) if len(known) == len(energies) else None,
        sum(one.warm_up_s for one, _ in found),
        found[0][1],
    )


def _written(taken: Measured) -> bytes:
    content = io.BytesIO()
    others = {"warm_up_s": taken.warm_up_s, "query_ms": taken.query_ms}
    energy = np.nan if taken.energy_j is None else taken.energy_j
    arrays: dict[str, Any] = {"energy_j": energy, **others, **taken.timings.arrays()}
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _read(content: bytes) -> Measured:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        energy = float(arrays["energy_j"])
        warm_up_s, query_ms = float(arrays["warm_up_s"]), float(arrays["query_ms"])
        timings = Timings.from_arrays(arrays)
    return Measured(timings, warm_up_s, query_ms, None if np.isnan(energy) else energy)
