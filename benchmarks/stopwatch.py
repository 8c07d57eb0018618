"""Does the stopwatch see what MLPerf's load generator sees, and what does it cost?

    python benchmarks/stopwatch.py --peer loadgen-env/bin/python [--rounds 6] [--seconds 3] [--only offline]

agree     one sleeping system under both generators at the same time, every scenario: our number by theirs,
          with a 95 % interval over rounds. They agree when it holds 1. LoadGen's offline time includes what
          its Python binding takes to make and hand over an answer a sample, of which nothing is kept here:
          its rate is given without it, and `as_logged` compares with what its log says.
late      how long after their moment queries are sent when nothing is under way, and what a query costs
          when the system does nothing: the stopwatch's own share of every latency.

The peer's environment is benchmarks/peers/loadgen.txt. Writes benchmarks/results/stopwatch.json and prints
one JSON line.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pomona.compile.stopwatch.clock import MachineClock, undisturbed
from pomona.compile.stopwatch.drive import Load, drive
from pomona.compile.stopwatch.early_stopping import latency_bound
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.timings import Timings
from pomona.compile.stopwatch.workers import Inline
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.statistics import t_interval

RESULT = Path(__file__).parent / "results" / "stopwatch.json"
PEER = Path(__file__).parent / "stopwatch_loadgen.py"
SAMPLE_S = {"single": 4e-3, "multi": 5e-4, "server": 2e-3, "offline": 1e-4}
SAMPLES = {"multi": 8, "offline": 32}
START_S = 4.0
"""Until both processes have imported what they need."""

MIN_QUERIES = {"single": 64, "multi": 700}
RATE, BOUND_MS = 200.0, 50.0


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="Python of the peer's environment")
    parser.add_argument("--own", help="one run of ours, as its own process")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=sorted(SCENARIOS), help="measure this anew, keep the rest")
    wanted = parser.parse_args()
    if wanted.own:
        asked = json.loads(wanted.own)
        time.sleep(max(0.0, asked["begin"] - time.time()))
        print(json.dumps(own_run(asked["name"], asked["seconds"], asked["seed"])))
        return
    if not wanted.peer:
        parser.error("--peer is needed: the Python of an environment with benchmarks/peers/loadgen.txt")
    result = {
        "benchmark": "stopwatch",
        "unit": "our number by that of mlcommons-loadgen 6.0.17 for the same sleeping system; microseconds",
        "bar": "the interval of every ratio holds 1, or is within 2 % of it",
        "command": f"python benchmarks/stopwatch.py --peer … --rounds {wanted.rounds}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, others at work",
        "date": time.strftime("%Y-%m-%d"),
    }
    if wanted.only:
        result = read_json(RESULT) | result | {wanted.only: agreement(wanted.only, wanted)}
    else:
        result |= {name: agreement(name, wanted) for name in SCENARIOS} | {"late": lateness()}
    write_json(RESULT, result)
    print(to_json(result))


def agreement(name: str, wanted: argparse.Namespace) -> dict:
    """Our number by theirs, over rounds; of latencies also the medians."""
    ours, theirs = [], []
    for seed in range(wanted.rounds):
        both = both_runs(name, wanted, seed)
        ours.append(both[0])
        theirs.append(both[1])
    number, median = (ratio_of([one[k] for one in ours], [one[k] for one in theirs]) for k in (0, 1))
    found = {
        "number": "samples a second"
        if name == "offline"
        else f"{SCENARIOS[name].percentile:g} of latency, ms",
        "ours": float(np.median([one[0] for one in ours])),
        "theirs": float(np.median([one[0] for one in theirs])),
        **number,
    }
    if name == "offline":
        # the second numbers are rates too
        return found | {f"as_logged_{key}": value for key, value in median.items()}
    return found | {f"median_{key}": value for key, value in median.items()}


def ratio_of(ours: list[float], theirs: list[float]) -> dict:
    """The geometric mean of ratios with its interval over rounds, and whether it holds 1."""
    logs = np.log(np.array(ours) / np.array(theirs))
    interval = t_interval(logs)
    agree = interval.low <= 0 <= interval.high or max(abs(interval.low), abs(interval.high)) < 0.02
    low, high = float(np.exp(interval.low)), float(np.exp(interval.high))
    return {"ratio": float(np.exp(logs.mean())), "low": low, "high": high, "agree": bool(agree)}


def both_runs(name: str, wanted: argparse.Namespace, seed: int) -> list[tuple[float, float]]:
    """Number and median of both generators, from fresh processes that begin at the same moment.

    A sleeping system disturbs nobody, and what else the machine does then happens to both.
    """
    asked = {
        "name": name,
        "scenario": SCENARIOS[name].title,
        "seconds": wanted.seconds,
        "min_queries": MIN_QUERIES.get(name, 1),
        "sample_s": SAMPLE_S[name],
        "at_once": SAMPLES.get(name, 1),
        "rate": RATE,
        "bound_ms": BOUND_MS,
        "seed": seed,
        "begin": time.time() + START_S,
    }
    text = json.dumps(asked)
    commands = [[sys.executable, __file__, "--own", text], [wanted.peer, str(PEER), text]]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    own, peer = (json.loads(process.communicate()[0]) for process in running)
    return [(own[0], own[1]), theirs_of(name, peer)]


def theirs_of(name: str, found: dict) -> tuple[float, float]:
    """Number and median in the results of their log; offline the rate without handing over, and as logged."""
    median = found["result_50.00_percentile_latency_ns"] / 1e6
    if name == "offline":
        rate, seconds = found["result_samples_per_second"], found["result_max_latency_ns"] / 1e9
        return rate * seconds / (seconds - found["handing_over_s"]), rate
    keys = {"single": "early_stopping_latency_ss", "multi": "early_stopping_latency_ms"}
    return found[keys.get(name, "result_99.00_percentile_latency_ns")] / 1e6, median


def own_run(name: str, seconds: float, seed: int) -> tuple[float, float]:
    """Our number and our median; offline the rate twice."""
    rate = RATE if name == "server" else None
    load = Load(
        seconds, MIN_QUERIES.get(name, 1), samples_per_query=SAMPLES.get(name, 1), rate=rate, seed=seed
    )
    timings = under(load, lambda samples: time.sleep(SAMPLE_S[name] * len(samples)))
    median = float(np.median(timings.latency_ns)) / 1e6
    if name == "offline":
        return timings.samples_per_s, timings.samples_per_s
    if name == "server":
        return float(np.quantile(timings.latency_ns, 0.99)) / 1e6, median
    bound = latency_bound(timings.latency_ns, SCENARIOS[name].percentile)
    assert bound is not None
    return bound / 1e6, median


def lateness() -> dict:
    """Microseconds: how late a query is sent at an idle moment, and the latency of doing nothing."""
    sent = under(Load(3.0, rate=300.0), lambda samples: None)
    nothing = under(Load(1.0), lambda samples: None)
    return {
        "sent_late_median_us": float(np.median(sent.late_ns)) / 1e3,
        "sent_late_p99_us": float(np.quantile(sent.late_ns, 0.99)) / 1e3,
        "of_nothing_median_us": float(np.median(nothing.latency_ns)) / 1e3,
        "of_nothing_p99_us": float(np.quantile(nothing.latency_ns, 0.99)) / 1e3,
    }


def under(load: Load, answer) -> Timings:
    """The timings of a system in this thread."""
    clock = MachineClock()
    with undisturbed():
        return drive(load, Inline(answer, clock), clock, num_loaded=64)


if __name__ == "__main__":
    main()
