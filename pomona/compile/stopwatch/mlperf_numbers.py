"""The numbers of a measurement in the words of MLPerf's load generator."""

from typing import Any

import numpy as np
from jaxtyping import Real

from pomona.compile.stopwatch.early_stopping import latency_bound, most_over, queries_needed
from pomona.compile.stopwatch.outcome import Outcome
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import FULL_SECONDS, BenchSettings
from pomona.compile.stopwatch.timings import NS_IN_MS
from pomona.compile.stopwatch.validity import bears, fewest_queries, percentile_of, reasons_against

SHARES = (0.5, 0.9, 0.95, 0.97, 0.99, 0.999)


def parameters(
    outcome: Outcome, scenario: Scenario, settings: BenchSettings, num_loaded: int, seed: int
) -> dict[str, Any]:
    """The parameters, in the load generator's words."""
    timings = outcome.timings
    is_offline = scenario.name == "offline"
    samples = timings.num_queries * timings.samples_per_query if is_offline else timings.samples_per_query
    bound_ns = round(settings.latency_ms * NS_IN_MS) if scenario.name == "server" else 0
    return {
        "scenario": scenario.title,
        "test_mode": "PerformanceOnly",
        "samples_per_query": samples,
        "target_qps": outcome.rate or timings.samples_per_s,
        "target_latency_ns": bound_ns,
        "target_latency_percentile": percentile_of(scenario, settings),
        "max_async_queries": 0 if scenario.name == "server" else 1,
        "min_duration_ms": round((FULL_SECONDS if not settings.quick else settings.duration_s) * 1000),
        "max_duration_ms": 0,
        "min_query_count": 1 if is_offline else fewest_queries(scenario, settings),
        "max_query_count": 0,
        "qsl_rng_seed": seed,
        "sample_index_rng_seed": seed,
        "schedule_rng_seed": seed,
        "performance_sample_count": num_loaded,
        "accuracy_sample_count": num_loaded,
    }


def results(outcome: Outcome, scenario: Scenario, settings: BenchSettings) -> dict[str, Any]:
    """What the run showed."""
    latency = latencies(outcome, scenario)
    checks = _checks(outcome, scenario, settings)
    # what we do not call valid is not called so here; quality is for another file of MLPerf's
    against = reasons_against(outcome.timings, scenario, settings, quality=None, rounds=len(outcome.rounds))
    is_valid = all(checks.values()) and not against
    return {
        "result_validity": "VALID" if is_valid else "INVALID",
        **checks,
        "early_stopping_result": " ".join(stopping(latency, scenario, settings)),
        "result_query_count": len(latency),
        **_rates(outcome, scenario, settings),
        "result_min_latency_ns": whole(latency[0]),
        "result_max_latency_ns": whole(latency[-1]),
        "result_mean_latency_ns": whole(latency.mean()),
        **{f"result_{100 * s:.2f}_percentile_latency_ns": percentile_ns(latency, s) for s in SHARES},
    }


def latencies(outcome: Outcome, scenario: Scenario) -> Real[np.ndarray, " query"]:
    """Nanoseconds, sorted; of offline that of its one query."""
    if scenario.name == "offline":
        return np.array([outcome.timings.seconds * 1e9])
    return np.sort(outcome.timings.latency_ns)


def percentile_ns(latency: np.ndarray, share: float) -> int | None:
    """The load generator's percentile of sorted latencies: the one at position count times share."""
    return whole(latency[min(int(len(latency) * share), len(latency) - 1)])


def stopping(latency: np.ndarray, scenario: Scenario, settings: BenchSettings) -> list[str]:
    """What the test that ends a run early says, line by line."""
    if scenario.name == "offline":
        return []
    share, count = percentile_of(scenario, settings), len(latency)
    if scenario.name == "server":
        over = int((latency > settings.latency_ms * NS_IN_MS).sum())
        more = queries_needed(over, share) - count
        if more <= 0:
            return [" * Run successful."]
        return [
            " * Run unsuccessful.",
            f" * Processed {count} queries.",
            f" * Would need to run at least {more} more queries,",
            " with the run being successful if every additional",
            " query were under latency.",
        ]
    needed, bound = queries_needed(1, share), latency_bound(latency, share)
    if bound is None:
        return [
            f" * Only processed {count} queries.",
            f" * Need to process at least {needed} queries for early stopping.",
        ]
    lines = [
        f" * Processed at least {needed} queries ({count}).",
        f" * Would discard {(most_over(count, share) or 1) - 1} highest latency queries.",
        f" * Early stopping {100 * share:.1f}th percentile estimate: {whole(bound)}",
    ]
    other = latency_bound(latency, 0.99)
    if share == 0.9 and other is not None:
        lines.append(f" * Early stopping 99.0th percentile estimate: {whole(other)}")
    return lines


def _checks(outcome: Outcome, scenario: Scenario, settings: BenchSettings) -> dict[str, bool]:
    timings, share = outcome.timings, percentile_of(scenario, settings)
    latency = latencies(outcome, scenario)
    count = timings.num_queries * (timings.samples_per_query if scenario.name == "offline" else 1)
    min_duration_s = settings.duration_s if settings.quick else FULL_SECONDS
    checks = {}
    if scenario.name == "server":
        checks["result_perf_constraints_met"] = _num_over(outcome, settings) <= (1 - share) * count
    checks["result_min_duration_met"] = timings.seconds >= min_duration_s * 0.999
    checks["result_min_queries_met"] = count >= fewest_queries(scenario, settings)
    checks["early_stopping_met"] = {
        "offline": True,
        "server": bears(timings, settings, scenario),
    }.get(scenario.name, latency_bound(latency, share) is not None)
    return checks


def _rates(outcome: Outcome, scenario: Scenario, settings: BenchSettings) -> dict[str, Any]:
    timings = outcome.timings
    if scenario.name == "offline":
        return {"result_samples_per_second": timings.samples_per_s}
    if scenario.name != "server":
        return {}
    return {
        "result_overlatency_query_count": _num_over(outcome, settings),
        "result_scheduled_samples_per_sec": timings.num_queries / (timings.scheduled.max(initial=1) / 1e9),
        "result_completed_samples_per_sec": timings.samples_per_s,
    }


def _num_over(outcome: Outcome, settings: BenchSettings) -> int:
    return int((outcome.timings.latency_ns > settings.latency_ms * NS_IN_MS).sum())


def whole(value: float) -> int | None:
    """The number without its fraction; None for one that is not finite."""
    return int(value) if np.isfinite(value) else None
