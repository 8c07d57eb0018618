"""A measurement in the two text files that MLPerf's load generator writes, for tools that read those."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pomona.compile.stopwatch.mlperf_numbers import (
    SHARES,
    latencies,
    parameters,
    percentile_ns,
    results,
    stopping,
)
from pomona.compile.stopwatch.outcome import Outcome
from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.validity import percentile_of
from pomona.foundation.files import to_json, write_bytes
from pomona.foundation.version import version

SUMMARY_FILE, DETAIL_FILE = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
RULE = "=" * 48

_SHOWN = (
    "samples_per_query",
    "target_qps",
    "target_latency_ns",
    "max_async_queries",
    "min_duration_ms",
    "max_duration_ms",
    "min_query_count",
    "max_query_count",
    "qsl_rng_seed",
    "sample_index_rng_seed",
    "schedule_rng_seed",
    "performance_sample_count",
    "accuracy_sample_count",
)
_PARAMETERS = {
    "target_latency_ns": "target_latency (ns): ",
    "min_duration_ms": "min_duration (ms): ",
    "max_duration_ms": "max_duration (ms): ",
}


_CHECKS = {
    "result_perf_constraints_met": "Performance constraints satisfied : ",
    "result_min_duration_met": "Min duration satisfied : ",
    "result_min_queries_met": "Min queries satisfied : ",
    "early_stopping_met": "Early stopping satisfied: ",
}


def write_logs(
    folder: Path, outcome: Outcome, scenario: Scenario, settings: BenchSettings, num_loaded: int, *, seed: int
) -> None:
    """Writes summary and detail of one system."""
    effective = parameters(outcome, scenario, settings, num_loaded, seed)
    found = results(outcome, scenario, settings)
    write_bytes(folder / SUMMARY_FILE, _summary(outcome, scenario, settings, effective, found).encode())
    entries = {
        "loadgen_version": f"pomona {version()}",
        "test_datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sut_name": outcome.name,
        "qsl_name": "pomona",
        "qsl_reported_total_count": num_loaded,
        "qsl_reported_performance_count": num_loaded,
        **{f"effective_{name}": value for name, value in effective.items()},
        "generated_query_count": found["result_query_count"],
        "generated_samples_per_query": effective["samples_per_query"],
        **found,
        "num_warnings": 0,
        "num_errors": int(outcome.timings.failed.sum()),
    }
    lines = [_entry(name, value, outcome.timings.seconds * 1000) for name, value in entries.items()]
    write_bytes(folder / DETAIL_FILE, ("\n".join(lines) + "\n").encode())


def _entry(name: str, value: Any, time_ms: float) -> str:
    """One line of the detailed log."""
    where = {"is_error": False, "is_warning": False, "file": "mlperf_log.py", "line_no": 1}
    process = {"pid": os.getpid(), "tid": os.getpid()}
    entry = {
        "key": name,
        "value": value,
        "time_ms": round(time_ms, 6),
        "namespace": "mlperf::logging",
        "event_type": "POINT_IN_TIME",
        "metadata": {**where, **process},
    }
    return f":::MLLOG {to_json(entry)}"


def _summary(
    outcome: Outcome,
    scenario: Scenario,
    settings: BenchSettings,
    effective: Mapping[str, Any],
    found: Mapping[str, Any],
) -> str:
    """The file for people, line for line as the load generator's."""
    num_failed = int(outcome.timings.failed.sum())
    shown = (f"{_PARAMETERS.get(name, f'{name} : ')}{_plain(effective[name])}" for name in _SHOWN)
    lines = [
        *_title("MLPerf Results Summary"),
        *_verdict(outcome, scenario, settings, found),
        "",
        *_title("Additional Stats"),
        *_additional(scenario, found),
        "",
        *_title("Test Parameters Used"),
        *shown,
        "",
        "No warnings encountered during test.",
        "",
        f"{num_failed} ERRORS encountered. See detailed log."
        if num_failed
        else "No errors encountered during test.",
    ]
    return "\n".join(lines) + "\n"


def _verdict(
    outcome: Outcome, scenario: Scenario, settings: BenchSettings, found: Mapping[str, Any]
) -> list[str]:
    latency, share = latencies(outcome, scenario), percentile_of(scenario, settings)
    headline = {
        "server": f"Completed samples per second    : {outcome.timings.samples_per_s:.2f}",
        "offline": f"Samples per second: {outcome.timings.samples_per_s:.6g}",
    }.get(scenario.name, f"{100 * share:.1f}th percentile latency (ns) : {percentile_ns(latency, share)}")
    checks = [f"  {label}{_yes(found[key])}" for key, label in _CHECKS.items() if key in found]
    told = stopping(latency, scenario, settings)
    return [
        f"SUT name : {outcome.name}",
        f"Scenario : {scenario.title}",
        "Mode     : PerformanceOnly",
        headline,
        f"Result is : {found['result_validity']}",
        *checks,
        *(["Early Stopping Result:", *told] if told else []),
    ]


def _additional(scenario: Scenario, found: Mapping[str, Any]) -> list[str]:
    lines = ["Per-query latency:  "] if scenario.name == "multi" else []
    if scenario.name == "server":
        lines.append(f"Scheduled samples per second : {found['result_scheduled_samples_per_sec']:.2f}")
    for name in ("Min", "Max", "Mean"):
        lines.append(f"{name + ' latency (ns)':<32}: {found[f'result_{name.lower()}_latency_ns']}")
    for share in SHARES:
        label = f"{100 * share:.2f}"
        lines.append(f"{label} percentile latency (ns)   : {found[f'result_{label}_percentile_latency_ns']}")
    return lines


def _title(text: str) -> list[str]:
    return [RULE, text, RULE]


def _yes(answer: bool) -> str:
    return "Yes" if answer else "NO"


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
