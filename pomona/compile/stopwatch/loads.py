"""The load that a scenario means with given settings."""

import math
from dataclasses import replace

from pomona.compile.stopwatch.drive import Load
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.validity import fewest_queries, percentile_of

PROBE_SHARE = 0.1
"""Of the time of a measurement, for each rate that is tried."""

QUICK_PROBE = 100
"""Fewest queries for each rate that is tried in a quick run."""


def load_of(
    scenario: Scenario, settings: BenchSettings, *, rate: float | None, seed: int, part: object
) -> Load:
    """The load for one round; `rate` is for the scenario server."""
    rounds = settings.rounds or 1
    samples = {"multi": settings.samples, "offline": settings.batch}.get(scenario.name, 1)
    fewest = fewest_queries(scenario, settings) / (samples if scenario.name == "offline" else 1)
    return Load(
        duration_s=settings.duration_s / rounds,
        # who says how long gets that, and a reason when it is not enough
        min_queries=1 if settings.quick or settings.seconds else math.ceil(fewest / rounds),
        samples_per_query=samples,
        rate=rate,
        at_once=settings.concurrency if scenario.name in ("server", "offline") else 1,
        bound_ms=settings.latency_ms,
        percentile=percentile_of(scenario, settings),
        seed=seed,
        part=part,
    )


def probe_of(load: Load, scenario: Scenario, settings: BenchSettings, rate: float) -> Load:
    """A shorter load at some rate, long enough to tell whether the rate is borne."""
    fewest = QUICK_PROBE if settings.quick else 2 * fewest_queries(scenario, settings)
    return replace(
        load,
        rate=rate,
        duration_s=load.duration_s * PROBE_SHARE,
        min_queries=fewest,
        gives_up=True,
        part="probe",
    )
