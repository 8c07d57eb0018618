"""Our log beside that of MLPerf's load generator, made from the very latencies that it saw."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pomona.compile.stopwatch.mlperf_log import DETAIL_FILE, SUMMARY_FILE, write_logs
from pomona.compile.stopwatch.outcome import Outcome
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.timings import Timings

RECORDED = np.load(Path(__file__).parents[2] / "oracles" / "loadgen.npz")

RUNS = {
    "single": BenchSettings(scenario="single"),
    "multi": BenchSettings(scenario="multi"),
    "multi-short": BenchSettings(scenario="multi"),
    "server": BenchSettings(scenario="server", qps=700),
    "server-slow": BenchSettings(scenario="server", qps=700, latency_ms=1.25),
    "offline": BenchSettings(scenario="offline"),
}
SAME = ("latency_ns", "query_count", "early_stopping_met", "early_stopping_result", "overlatency_query_count")


@pytest.fixture(params=RUNS)
def logs(request, tmp_path):
    """Their summary and results, and ours of the same latencies."""
    name, settings = request.param, RUNS[request.param]
    latency = RECORDED[f"{name}/latency_ns"]
    start = np.arange(len(latency)) * 2_000_000
    samples = {"multi": 8}.get(settings.scenario, 1)
    timings = Timings(start, start, start + latency, np.zeros(len(latency), bool), samples)
    outcome = Outcome("PySUT", "python", (timings,), None, None, 0.0, settings.qps)
    write_logs(tmp_path, outcome, SCENARIOS[settings.scenario], settings, 64, seed=0)
    theirs = (str(RECORDED[f"{name}/summary"]), json.loads(str(RECORDED[f"{name}/results"])))
    lines = (tmp_path / DETAIL_FILE).read_text().splitlines()
    return name, *theirs, (tmp_path / SUMMARY_FILE).read_text(), lines


def test_the_numbers_are_the_same(logs):
    _, _, theirs, _, lines = logs
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines]
    ours = {entry["key"]: entry["value"] for entry in entries}
    compared = [key for key in theirs if key.endswith(SAME) and key in ours and key[:9] != "effective"]
    assert len(compared) >= 10
    for key in compared:
        if key == "early_stopping_result":
            assert ours[key].split() == theirs[key].split()
        elif "mean" in key:
            assert ours[key] == pytest.approx(theirs[key], abs=1)
        else:
            assert ours[key] == theirs[key], key


def test_every_key_is_one_of_theirs(logs):
    name, _, _, _, lines = logs
    keys = {json.loads(line.removeprefix(":::MLLOG "))["key"] for line in lines}
    assert keys <= {*RECORDED[f"{name}/keys"].tolist(), "num_warnings"}


def test_an_entry_has_the_fields_of_theirs(logs):
    name, _, _, _, lines = logs
    theirs = json.loads(str(RECORDED[f"{name}/entry"]).removeprefix(":::MLLOG "))
    for line in lines:
        entry = json.loads(line.removeprefix(":::MLLOG "))
        assert list(entry) == list(theirs)
        assert set(entry["metadata"]) == set(theirs["metadata"])


def test_the_summary_has_the_lines_of_theirs_in_their_order(logs):
    name, theirs, _, ours, _ = logs
    # what they say of their own overhead, of their tests, and advice
    left_out = ("QPS w/", "accuracy_log", "print_timestamps", "performance_issue", "Recommendations", " * ")
    wanted = [label(line) for line in theirs.splitlines() if line and not line.startswith(left_out)]
    got = [label(line) for line in ours.splitlines() if line and not line.startswith(" * ")]
    if name == "offline":
        wanted = [line for line in wanted if "warning" not in line]
        got = [line for line in got if "warning" not in line]
    assert got == wanted


def label(line):
    """What stands before the value."""
    return re.split(r"\s*:\s", line)[0]
