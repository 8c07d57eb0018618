"""The load that a scenario means with given settings."""

import math
from dataclasses import replace

from pomona.compile.stopwatch.drive import Load
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.validity import percentile_of

PROBE_SHARE = 0.1
"""Of the time of a measurement, for each rate that is tried."""


def load_of(
    scenario: Scenario, settings: BenchSettings, *, rate: float | None, seed: int, part: object
) -> Load:
    """The load for one round; `rate` is for the scenario server."""
    rounds = settings.rounds or 1
    samples = {"multi": settings.samples, "offline": settings.batch}.get(scenario.name, 1)
    fewest = scenario.min_queries / samples if scenario.name == "offline" else scenario.min_queries
    return Load(
        duration_s=settings.duration_s / rounds,
        min_queries=1 if settings.quick else math.ceil(fewest / rounds),
        samples_per_query=samples,
        rate=rate,
        at_once=settings.concurrency if scenario.name in ("server", "offline") else 1,
        bound_ms=settings.latency_ms,
        percentile=percentile_of(scenario, settings),
        seed=seed,
        part=part,
    )


def probe_of(load: Load, scenario: Scenario, rate: float) -> Load:
    """A shorter load at some rate, long enough to tell whether the rate is borne."""
    return replace(
        load,
        rate=rate,
        duration_s=load.duration_s * PROBE_SHARE,
        min_queries=2 * scenario.min_queries,
        gives_up=True,
        part="probe",
    )
