"""Whether a result may be called valid, and if not why: each reason one sentence that says what to do."""

import math
from collections.abc import Iterator

from pomona.compile.stopwatch.early_stopping import latency_bound, most_over, queries_needed
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import FULL_SECONDS, BenchSettings
from pomona.compile.stopwatch.timings import NS_IN_MS, Timings
from pomona.export.quality import Quality


def reasons_against(
    timings: Timings, scenario: Scenario, settings: BenchSettings, *, quality: Quality | None, rounds: int = 1
) -> list[str]:
    """Why the result is not valid; empty when it is."""
    return [
        *_length(timings, scenario, settings, rounds),
        *_statistics(timings, scenario, settings),
        *_failures(timings),
        *_quality(quality),
    ]


def claimed_ms(timings: Timings, scenario: Scenario, settings: BenchSettings) -> float | None:
    """The latency that the share of the scenario's percentile stays under, with 99 % confidence.

    Offline has no latency of queries to claim. None too where there are too few queries, or too many failed.
    """
    if scenario.name == "offline":
        return None
    spare = 0 if scenario.name == "server" else 1
    bound = latency_bound(timings.latency_ns, percentile_of(scenario, settings), spare=spare)
    return None if bound is None or not math.isfinite(bound) else bound / NS_IN_MS


def percentile_of(scenario: Scenario, settings: BenchSettings) -> float:
    """The share of queries that the result speaks of."""
    return settings.percentile or scenario.percentile


def bears(timings: Timings, settings: BenchSettings, scenario: Scenario) -> bool:
    """Whether so few queries took longer than the bound that the rate can be claimed."""
    if timings.has_died:
        return False
    allowed = most_over(timings.num_queries, percentile_of(scenario, settings))
    return allowed is not None and _num_over(timings, settings) <= allowed


def _num_over(timings: Timings, settings: BenchSettings) -> int:
    return int((timings.latency_ns > settings.latency_ms * NS_IN_MS).sum())


def _length(timings: Timings, scenario: Scenario, settings: BenchSettings, rounds: int) -> Iterator[str]:
    if settings.quick:
        yield f"quick: it ran {timings.seconds:.1f} s, the rules want {FULL_SECONDS:g}: leave out --quick"
    # the last query that is waited for may end before the time is over
    elif timings.seconds < FULL_SECONDS * 0.999:
        yield f"it ran {timings.seconds:.1f} s, the rules want {FULL_SECONDS:g}: leave out --seconds"
    if rounds > 1:
        yield f"it was measured in {rounds} rounds in turn with others, the rules want one: --rounds 1"
    num_samples = timings.num_queries * timings.samples_per_query
    if scenario.name == "offline" and num_samples < scenario.min_queries:
        yield f"{num_samples} samples were asked, the rules want {scenario.min_queries}: run it longer"


def _statistics(timings: Timings, scenario: Scenario, settings: BenchSettings) -> Iterator[str]:
    if scenario.name == "offline":
        return
    share, count = percentile_of(scenario, settings), timings.num_queries
    wanted = queries_needed(0 if scenario.name == "server" else 1, share)
    if count < wanted:
        yield f"{count} queries cannot show what {share:.4g} of all stay under, {wanted} can: run it longer"
    elif scenario.name == "server" and not bears(timings, settings, scenario):
        over, allowed = _num_over(timings, settings), most_over(count, share)
        yield (
            f"{over} of {count} queries took more than {settings.latency_ms:g} ms, {allowed} may: "
            "lower --qps, or leave it out to search"
        )


def _failures(timings: Timings) -> Iterator[str]:
    failed = int(timings.failed.sum())
    if failed:
        yield f"{failed} of {timings.num_queries} queries failed, the first with: {timings.first_failure}"


def _quality(quality: Quality | None) -> Iterator[str]:
    if quality is not None and quality.met is False and quality.share is not None:
        yield (
            f"{quality.metric} is {quality.value:.4g} where the reference has {quality.reference:.4g}: "
            f"{quality.share:.2%} of its quality, {quality.target:.2%} is wanted"
        )
