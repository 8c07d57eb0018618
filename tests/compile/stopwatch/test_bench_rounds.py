"""Whole measurements on a simulated clock: validity with reasons, turns, search, resume, what is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulation import MS, SimulatedClock

from pomona.compile.stopwatch.claims import claims
from pomona.compile.stopwatch.library import numbers_only
from pomona.compile.stopwatch.mlperf_numbers import results
from pomona.compile.stopwatch.outcome import ratios, summary
from pomona.compile.stopwatch.rounds import outcomes
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.sections import write_bench_sections
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.open import Opened
from pomona.compile.stopwatch.systems.system import System
from pomona.compile.stopwatch.validity import reasons_against
from pomona.export.quality import Quality
from pomona.foundation.errors import DataError, GateError, SettingError
from pomona.foundation.run import temporary_run

KEYS = {
    "scenario",
    "runtime",
    "valid",
    "reasons",
    "queries",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "early_stopping_ms",
}
KEYS |= {"qps", "quality", "seconds"}


class Simulated:
    """A system that takes `ms` a sample, and `ms_a_query` besides, on a simulated clock."""

    def __init__(self, clock, ms, ms_a_query=0.0):
        self.clock, self.ms, self.ms_a_query, self.calls = clock, ms, ms_a_query, 0

    def answer(self, samples):
        self.calls += 1
        self.clock.work((self.ms * len(samples) + self.ms_a_query) * MS)

    def outputs(self, answer):
        raise AssertionError("quality is not asked for")

    def close(self):
        pass


def measured(settings, *times, run=None):
    """Outcomes and summaries of systems that take so many milliseconds a sample."""
    clock = SimulatedClock()
    systems = [
        System(f"s{ms:g}", f"s{ms:g}", lambda ms=ms: Simulated(clock, ms), numbers_only()) for ms in times
    ]
    opened = Opened(systems, numbers_only(), None, None)
    scenario = SCENARIOS[settings.scenario]
    if run is None:
        with temporary_run() as run:
            found = outcomes(opened, settings, scenario, run=run, clock=clock)
    else:
        found = outcomes(opened, settings, scenario, run=run, clock=clock)
    return opened, found, [summary(one, scenario, settings) for one in found]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_ten_minutes_are_valid_in_every_scenario(scenario):
    rate = 20.0 if scenario == "server" else None
    _, (outcome,), (row,) = measured(BenchSettings(scenario=scenario, qps=rate, latency_ms=100), 12.0)
    assert (row["valid"], row["reasons"]) == (True, [])
    assert set(row) >= KEYS
    assert outcome.timings.seconds >= 599.4
    wanted = {"single": 12, "multi": 96, "server": 12, "offline": 12 * 32}[scenario]
    assert row["p50_ms"] == pytest.approx(wanted)
    assert row["qps"] == pytest.approx(20 if scenario == "server" else 1000 / 12, rel=0.02)
    assert (row["early_stopping_ms"] is None) == (scenario == "offline")
    assert row["queries"] == (1 if scenario == "offline" else outcome.timings.num_queries)
    for settings, wanted in (
        (BenchSettings(scenario=scenario), "VALID"),
        (BenchSettings(scenario, quick=True), "INVALID"),
    ):
        settings = replace(settings, latency_ms=100)
        assert results(outcome, SCENARIOS[scenario], settings)["result_validity"] == wanted


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_quick_is_never_valid_and_says_what_it_cannot_claim(scenario):
    rate = 20.0 if scenario == "server" else None
    settings = BenchSettings(scenario=scenario, qps=rate, quick=True)
    opened, _, (row,) = measured(settings, 5.0)
    assert not row["valid"]
    assert row["reasons"][0].startswith("quick: it ran 10.")
    said = " ".join(claims(row, SCENARIOS[scenario], settings, opened))
    assert "VALID" not in said
    assert "cannot tell" in said
    assert "Quality was not measured" in said


@pytest.mark.parametrize(
    ("settings", "ms", "says"),
    [
        (BenchSettings(seconds=30), 5.0, "it ran 30.0 s, the rules want 600"),
        (BenchSettings(quick=True), 400.0, "25 queries cannot show what 0.9 of all stay under, 64 can"),
        (BenchSettings(scenario="server", qps=30), 12.0, "took more than 15 ms"),
        (BenchSettings(rounds=2), 50.0, "2 rounds in turn"),
        (BenchSettings(scenario="offline", seconds=1), 0.1, "the rules want 600"),
        (BenchSettings(scenario="offline", seconds=1), 0.1, "10016 samples were asked, the rules want 24576"),
        (BenchSettings(percentile=0.95), 50.0, "speak of 0.9"),
        (BenchSettings(scenario="multi", samples=2), 50.0, "want 8 samples a query"),
        (BenchSettings(quality=0.9), 50.0, "want 0.99 of the reference's quality"),
    ],
)
def test_a_result_that_is_not_valid_says_why(settings, ms, says):
    _, _, (row,) = measured(settings, ms)
    assert not row["valid"]
    assert any(says in reason for reason in row["reasons"]), row["reasons"]


def test_failed_queries_and_lost_quality_are_reasons():
    settings = BenchSettings()
    _, (outcome,), _ = measured(settings, 50.0)
    timings = replace(
        outcome.timings, failed=np.arange(outcome.timings.num_queries) == 5, first_failure="hiccup"
    )
    lost = Quality("accuracy", 0.95, 1.0, 0.95, 0.99, False, 100)
    reasons = reasons_against(timings, SCENARIOS["single"], settings, quality=lost)
    assert [reason.partition(" ")[0] for reason in reasons] == ["1", "accuracy"]
    assert "hiccup" in reasons[0]
    assert "95.00% of its quality, 99.00% is wanted" in reasons[1]


def test_the_highest_rate_is_searched_and_borne():
    settings = BenchSettings(scenario="server", latency_ms=500)
    _, (outcome,), (row,) = measured(settings, 50.0)
    assert row["valid"]
    # 99 % of waits of M/D/1 are under 9 service times at a load near 0.8
    assert 14 < outcome.rate < 17
    assert row["early_stopping_ms"] <= 500


def test_a_quick_search_of_a_slow_system_goes_by_what_it_sees():
    """At 2 queries a second the claim would take minutes a try."""
    _, (outcome,), (row,) = measured(BenchSettings(scenario="server", latency_ms=4000, quick=True), 400.0)
    assert 1 < outcome.rate < 2.5
    assert row["early_stopping_ms"] is None
    assert any("459 can" in reason for reason in row["reasons"])


def test_a_bound_below_the_service_time_bears_no_rate():
    with pytest.raises(GateError, match="bears no rate at all: a query alone takes 1 ms"):
        measured(BenchSettings(scenario="server", latency_ms=0.5, quick=True), 1.0)


def test_systems_take_turns_and_are_compared_round_by_round():
    settings = BenchSettings(quick=True, rounds=4)
    opened, found, rows = measured(settings, 40.0, 10.0)
    assert [len(one.rounds) for one in found] == [4, 4]
    assert sum(row["seconds"] for row in rows) == pytest.approx(20, rel=0.01)
    ratio = ratios(found, SCENARIOS["single"], settings)["s10"]
    assert (ratio["against"], ratio["ratio"]) == ("s40", pytest.approx(4))
    assert ratio["low"] == pytest.approx(4) == ratio["high"]
    with temporary_run() as run:
        compared = ratios(found, SCENARIOS["single"], settings)
        write_bench_sections(run.folder, opened, settings, found, rows, compared)
        assert {path.stem for path in (run.folder / "sections").glob("*.json")} == {
            *("10-verdict", "20-systems", "30-percentiles", "40-histogram", "50-time-line", "60-how")
        }


def test_finished_rounds_are_not_measured_again():
    settings = BenchSettings(quick=True, rounds=3)
    with temporary_run() as run:
        _, first, _ = measured(settings, 40.0, 10.0, run=run)
        kept = sorted((run.folder / "measurements").iterdir())
        Path(kept[-1]).unlink()
        times = {path: path.stat().st_mtime_ns for path in kept[:-1]}
        _, again, _ = measured(settings, 40.0, 10.0, run=run)
        assert {path: path.stat().st_mtime_ns for path in kept[:-1]} == times
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.timings.latency_ns, other.timings.latency_ns)


def test_a_system_that_dies_ends_the_measurement_in_one_line():
    clock, calls = SimulatedClock(), []

    class Dying(Simulated):
        def answer(self, samples):
            super().answer(samples)
            calls.append(1)
            if len(calls) > 2000:
                raise ConnectionRefusedError("refused")

    opened = Opened(
        [System("web", "http", lambda: Dying(clock, 1.0), numbers_only())], numbers_only(), None, None
    )
    with (
        temporary_run() as run,
        pytest.raises(DataError, match=r"failed 20 times in a row .*refused") as caught,
    ):
        outcomes(opened, BenchSettings(), SCENARIOS["single"], run=run, clock=clock)
    assert "\n" not in str(caught.value)


def test_a_system_that_does_not_start_says_why():
    def answer(samples):
        raise ValueError("no weights")

    system = System("own", "function", lambda: Simulated(SimulatedClock(), 1.0), numbers_only())
    broken = replace(
        system, connect=lambda: type("Broken", (Simulated,), {"answer": lambda self, s: answer(s)})(None, 1)
    )
    opened = Opened([broken], numbers_only(), None, None)
    with (
        temporary_run() as run,
        pytest.raises(DataError, match="own does not answer: ValueError: no weights"),
    ):
        outcomes(opened, BenchSettings(), SCENARIOS["single"], run=run, clock=SimulatedClock())


@pytest.mark.parametrize(
    "wrong",
    [
        {"qps": 0, "scenario": "server"},
        {"qps": 10},
        {"seconds": -1},
        {"concurrency": 0},
        {"percentile": 1.0},
        {"latency_ms": float("nan")},
    ],
)
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(SettingError):
        BenchSettings(**wrong)
