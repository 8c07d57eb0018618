"""Whether a result may be called valid, and if not why: each reason one sentence that says what to do."""

import math
from collections.abc import Iterator

from pomona.compile.stopwatch.early_stopping import latency_bound, most_over, queries_needed
from pomona.compile.stopwatch.scenarios import MULTI_SAMPLES, OFFLINE_SAMPLES, Scenario
from pomona.compile.stopwatch.settings import FULL_SECONDS, BenchSettings
from pomona.compile.stopwatch.timings import NS_IN_MS, Timings
from pomona.export.quality import Quality

LEAST_QUALITY = 0.99


def reasons_against(
    timings: Timings, scenario: Scenario, settings: BenchSettings, *, quality: Quality | None, rounds: int = 1
) -> list[str]:
    """Why the result is not valid; empty when it is."""
    return [
        *_length(timings, scenario, settings, rounds),
        *_rules(scenario, settings),
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
    share = percentile_of(scenario, settings)
    bound = latency_bound(timings.latency_ns, share, spare=scenario.spare)
    return None if bound is None or not math.isfinite(bound) else bound / NS_IN_MS


def percentile_of(scenario: Scenario, settings: BenchSettings) -> float:
    """The share of queries that the result speaks of."""
    return settings.percentile or scenario.percentile


def fewest_queries(scenario: Scenario, settings: BenchSettings) -> int:
    """How many queries can show the percentile at all; in offline samples."""
    if scenario.name == "offline":
        return OFFLINE_SAMPLES
    return queries_needed(scenario.spare, percentile_of(scenario, settings))


def bears(timings: Timings, settings: BenchSettings, scenario: Scenario) -> bool:
    """Whether so few queries took longer than the bound that the rate can be claimed.

    A quick run with too few of them for that goes by the share that was seen.
    """
    share, count = percentile_of(scenario, settings), timings.num_queries
    allowed = most_over(count, share)
    if allowed is None and settings.quick:
        allowed = int((1 - share) * count)
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
    num_samples, wanted = timings.num_queries * timings.samples_per_query, fewest_queries(scenario, settings)
    if scenario.name == "offline" and num_samples < wanted:
        yield f"{num_samples} samples were asked, the rules want {wanted}: run it longer"


def _rules(scenario: Scenario, settings: BenchSettings) -> Iterator[str]:
    if percentile_of(scenario, settings) != scenario.percentile:
        yield f"the rules of {scenario.title} speak of {scenario.percentile:g}: leave out --percentile"
    if scenario.name == "multi" and settings.samples != MULTI_SAMPLES:
        yield f"the rules want {MULTI_SAMPLES} samples a query: leave out --samples"
    if settings.quality < LEAST_QUALITY:
        yield f"the rules want {LEAST_QUALITY:g} of the reference's quality: leave out --quality"


def _statistics(timings: Timings, scenario: Scenario, settings: BenchSettings) -> Iterator[str]:
    if scenario.name == "offline":
        return
    share, count = percentile_of(scenario, settings), timings.num_queries
    wanted = fewest_queries(scenario, settings)
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
